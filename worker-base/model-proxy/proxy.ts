/**
 * The gateway: an HTTP server on the loopback, between the agent and its model. The agent gets its address
 * but no credential; the gateway adds the real one to each request. It also serves the hook that runs before
 * each command.
 *
 * Invariants: it listens only on 127.0.0.1, and serves a request for the model or the gate only if its path
 * has the matching token, because every user of a shared machine can reach the loopback; a credential is in
 * no log, error or response; bytes are forwarded as they arrive, in both directions, and never buffered;
 * every request ends, even if the model hangs.
 *
 * Loaded only if there is a model or a gate, so that the start of other bodies is not slower.
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
  /** The model's address, http or https, with or without a path; without it, only the gate is served. */
  upstream: string | undefined;
  /** Decides for the hook; without it, every command is allowed. */
  evaluate?: ((request: unknown) => PolicyDecision) | undefined;
  log: Log;
}

export interface ModelProxy {
  /** `http://127.0.0.1:PORT/TOKEN`, without a trailing slash: the model's address for the agent. */
  url: string;
  /** Program and arguments of the hook. */
  policyCommand: string[];
  /** When the model last sent a byte, by `performance.now()`; the start time if it has not sent any. */
  lastByteAt(): number;
  /** Number of open requests to the model. */
  open(): number;
  /** Aborts open requests and stops listening. */
  close(): Promise<void>;
}

/** Maximum size of a hook's request; a command has at most a few hundred KiB. */
const QUESTION_LIMIT = 2 * 1024 ** 2;
/** Paths of the hook: in our images, beside the bundle, and in a checkout. */
const GATES = ['/worker/gate', here('./gate'), here('../image/gate'), here('../worker-base/image/gate')];

/** Starts the gateway; throws if the upstream's address is invalid. */
export async function startModelProxy(options: ModelProxyOptions): Promise<ModelProxy> {
  const { upstream, evaluate, log } = options;
  const forward = upstream === undefined ? undefined : await createModelForwarder({ ...options, upstream });
  const token = randomBytes(16).toString('base64url');
  // A separate token, because the model's is in the environment of all the agent's children.
  const gateToken = randomBytes(16).toString('base64url');
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path === `/${gateToken}/gate`) answerPolicyRequest(request, response, evaluate);
    else if (forward && (path === `/${token}` || path.startsWith(`/${token}/`)))
      forward.handle(request, response, path.slice(token.length + 1) || '/');
    else sendError(response, 404, 'not_found_error', 'Not found.');
  });
  // The model's response may take any time; the timeout of each request ends a hanging one.
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
