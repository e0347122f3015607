/**
 * The gateway: an HTTP server on the loopback, between the agent and its model. The agent is given its address and no
 * credential; the gateway adds the real one to each request. It also answers the hook that asks before each command.
 *
 * What must always hold: it listens on 127.0.0.1 only, and answers a request for the model or the gate only if the token of
 * that is in its path, for on a machine of many users any of them reaches the loopback; a credential is in no log, no error and no answer;
 * bytes pass as they come, in both directions, and are never gathered; every request ends, even if the model hangs.
 *
 * Loaded only where there is a model or a gate: it costs the start of a body nothing otherwise.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Log } from '../log.ts';
import type { PolicyDecision } from '../sandbox/command-policy.ts';
import {
  createModelForwarder,
  type ModelForwarder,
  type ModelForwarderOptions,
  sendError,
} from './forward.ts';

export interface ModelProxyOptions extends Omit<ModelForwarderOptions, 'upstream'> {
  /** The model's address, http or https, with or without a path; without it only the gate is answered. */
  upstream: string | undefined;
  /** Answers the hook; without it every command is let through. */
  evaluate?: ((request: unknown) => PolicyDecision) | undefined;
  log: Log;
}

export interface ModelProxy {
  /** `http://127.0.0.1:PORT/TOKEN`, without a slash at the end: the model's address, as the agent gets it. */
  url: string;
  /** Program and arguments of the hook. */
  policyCommand: string[];
  /** When a byte last came from the model, by `performance.now()`; when it was started, where none has come. */
  lastByteAt(): number;
  /** Requests to the model that are under way. */
  open(): number;
  /** Cuts what is under way and stops listening. */
  close(): Promise<void>;
}

/** Bytes of a hook's question; a command is at most a few hundred KiB. */
const QUESTION_LIMIT = 2 * 1024 ** 2;
/** Where the hook is: in an image of ours, beside the bundle, and in a checkout. */
const GATES = ['/worker/gate', here('./gate'), here('../image/gate'), here('../worker-base/image/gate')];

/** Starts it; throws where the upstream's address cannot be read. */
export async function startModelProxy(options: ModelProxyOptions): Promise<ModelProxy> {
  const { upstream, evaluate, log } = options;
  const forward = upstream === undefined ? undefined : await createModelForwarder({ ...options, upstream });
  const token = randomBytes(16).toString('base64url');
  // Of its own: the model's is in the environment of all that the agent starts.
  const gateToken = randomBytes(16).toString('base64url');
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path === `/${gateToken}/gate`) answerPolicyRequest(request, response, evaluate);
    else if (forward && (path === `/${token}` || path.startsWith(`/${token}/`)))
      forward.handle(request, response, path.slice(token.length + 1) || '/');
    else sendError(response, 404, 'not_found_error', 'Not found.');
  });
  // The model's answer may take as long as it takes; what hangs is ended by the clock of each request.
  server.requestTimeout = 0;
  server.headersTimeout = 60_000;
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  server.on('error', (error) => log.warn('model proxy failed', { error: error.message }));
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const hook = GATES.find((path) => existsSync(path)) ?? '/worker/gate';
  return {
    url: `${origin}/${token}`,
    // Separate, so that it does not depend on the environment that an agent passes on.
    policyCommand: ['/usr/bin/env', `WORKER_GATEWAY=${origin}/${gateToken}`, hook],
    lastByteAt: forward?.lastByteAt ?? (() => 0),
    open: forward?.open ?? (() => 0),
    close: () => close(server, forward),
  };
}

function answerPolicyRequest(
  request: IncomingMessage,
  response: ServerResponse,
  judge: ModelProxyOptions['evaluate'],
): void {
  if (request.method !== 'POST') {
    sendError(response, 405, 'invalid_request_error', 'Use POST.');
    return;
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  request.on('error', () => {});
  request.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > QUESTION_LIMIT) request.destroy();
    else parts.push(part);
  });
  request.on('end', () => {
    const body = JSON.stringify(judge?.(parse(Buffer.concat(parts).toString('utf8'))) ?? {});
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    response.writeHead(200, { ...headers, connection: 'close' }).end(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function close(server: Server, forward: ModelForwarder | undefined): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  forward?.close();
  await closed;
}

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
