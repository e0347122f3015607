import { readFileSync } from 'node:fs';
import type {
  Agent,
  AgentOptions,
  ClientRequest,
  IncomingMessage,
  OutgoingHttpHeaders,
  RequestOptions,
  ServerResponse,
} from 'node:http';
import { CONNECTION_HEADERS } from '../../src/http/listener/connection-headers.ts';

/** A header that the gateway adds to each request; the agent's header of the same name is dropped. */
export interface ProxyCredential {
  header: string;
  /** The prefix of the value, such as `Bearer `. */
  prefix: string;
  value: string;
}

export interface ModelForwarderOptions {
  /** The model's address, http or https, with or without a path. */
  upstream: string;
  credentials: ProxyCredential[];
  /** Milliseconds without a byte from the model, after which an open request is ended. */
  stallMs: number;
  /** Only HTTPS_PROXY, HTTP_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS are read from it. */
  env?: NodeJS.ProcessEnv | undefined;
}

/** Forwards requests to the model, and its responses back. */
export interface ModelForwarder {
  /** `path` is the request's path and query, without the gateway's token. */
  handle(request: IncomingMessage, response: ServerResponse, path: string): void;
  lastByteAt(): number;
  open(): number;
  close(): void;
}

/** Node's http or https; only the needed one is loaded. */
interface Client {
  Agent: new (options: AgentOptions) => Agent;
  request(options: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest;
}

/** Headers for credentials; values from the agent or its tools are not sent. */
const OF_CREDENTIALS = ['authorization', 'x-api-key', 'cookie', 'forwarded'];
/**
 * How long an idle connection is kept: less than servers and load balancers do, so that no closing one is
 * used.
 */
const IDLE_MS = 4000;
/** Reported if we end a request before its answer. */
const STALLED = 504;
const UNREACHABLE = 502;

/** Creates the forwarder to the model; throws if its address is invalid. */
export async function createModelForwarder(options: ModelForwarderOptions): Promise<ModelForwarder> {
  const target = parseTarget(options.upstream);
  const { stallMs, credentials } = options;
  const client = (
    target.protocol === 'https:' ? await import('node:https') : await import('node:http')
  ) as Client;
  const agent = new client.Agent({
    keepAlive: true,
    timeout: IDLE_MS,
    ...(options.env ? { proxyEnv: options.env } : {}),
    ...(target.protocol === 'https:' ? await trusted(options.env) : {}),
  } as AgentOptions);
  const base = target.pathname.replace(/\/+$/, '');
  const added = Object.fromEntries(
    credentials.map(({ header, prefix, value }) => [header.toLowerCase(), `${prefix}${value}`]),
  );
  let lastByteAt = performance.now();
  let open = 0;

  function handle(request: IncomingMessage, response: ServerResponse, path: string): void {
    let over = false;
    let upstream: ClientRequest | undefined;
    open += 1;
    const settle = (): boolean => {
      if (over) return false;
      over = true;
      open -= 1;
      clearTimeout(clock);
      return true;
    };
    const fail = (status: number, message: string) => {
      if (!settle()) return;
      upstream?.destroy();
      // After the headers only a cut connection shows that the answer is incomplete.
      if (response.headersSent) response.destroy();
      else sendError(response, status, 'api_error', message);
    };
    const failed = (error: Error) =>
      fail(UNREACHABLE, `${target.host} could not be reached: ${findCause(error)}`);
    const leave = () => {
      if (settle()) upstream?.destroy();
    };
    const clock = setTimeout(() => {
      // The agent does not read the response, so the model is not silent.
      if (response.writableNeedDrain) clock.refresh();
      else fail(STALLED, `${target.host} sent no data for ${stallMs / 1000} s.`);
    }, stallMs);
    const noteByte = () => {
      lastByteAt = performance.now();
      clock.refresh();
    };

    response.once('close', leave);
    request.on('error', leave);
    try {
      upstream = client.request(
        {
          agent,
          protocol: target.protocol,
          hostname: target.hostname.replace(/^\[|\]$/g, ''),
          port: target.port || undefined,
          method: request.method,
          path: base + path,
          headers: { ...requestHeaders(request, added), ...added, host: target.host },
        },
        (answer) => {
          noteByte();
          answer.on('error', failed);
          answer.on('data', noteByte);
          answer.once('end', settle);
          response.writeHead(answer.statusCode ?? UNREACHABLE, answer.statusMessage, responseHeaders(answer));
          // Before the body, so that the agent sees the start of a stream when the model starts it.
          response.flushHeaders();
          answer.pipe(response);
        },
      );
    } catch (error) {
      // Node rejects some headers and methods before anything is sent.
      fail(400, `The request can't be forwarded to ${target.host}: ${findCause(error as Error)}`);
      return;
    }
    upstream.on('error', failed);
    // Sending is a sign of life as well, because a large prompt may take long.
    request.on('data', () => clock.refresh());
    request.pipe(upstream);
  }

  return { handle, lastByteAt: () => lastByteAt, open: () => open, close: () => agent.destroy() };
}

/** An error in the shape of the Anthropic API, which every agent of that API can read. */
export function sendError(response: ServerResponse, status: number, type: string, message: string): void {
  const body = JSON.stringify({ type: 'error', error: { type, message } });
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    // The rest of the agent's request is not read, so the connection cannot be reused.
    connection: 'close',
  });
  response.end(body);
}

function parseTarget(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The text is not repeated because it may contain a password.
  if (!url || !/^https?:$/.test(url.protocol))
    throw new Error("The model's address must start with http:// or https://.");
  if (url.username || url.password)
    throw new Error(
      `The model's address at ${url.host} must not contain a user or a password; use a secret.`,
    );
  return url;
}

/** Certificate authorities in addition to Node's own, if they are set for the agent. */
async function trusted({ NODE_EXTRA_CA_CERTS: path }: NodeJS.ProcessEnv = {}): Promise<{ ca?: string[] }> {
  if (!path) return {};
  const { getCACertificates } = await import('node:tls');
  return { ca: [...getCACertificates('default'), readFileSync(path, 'utf8')] };
}

function requestHeaders(request: IncomingMessage, added: Record<string, string>): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...request.headers };
  for (const name of ofTheConnection(request)) delete headers[name];
  for (const name of [...OF_CREDENTIALS, ...Object.keys(added)]) delete headers[name];
  // Without a length, the body is framed again, even for methods that rarely have one.
  if (request.headers['transfer-encoding']) headers['transfer-encoding'] = 'chunked';
  return headers;
}

function responseHeaders(answer: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...answer.headers };
  for (const name of ofTheConnection(answer)) delete headers[name];
  // Some agents retry a rejected credential ten times or more; it would be rejected again.
  if (answer.statusCode === 401 || answer.statusCode === 403) headers['x-should-retry'] = 'false';
  return headers;
}

function ofTheConnection({ headers }: IncomingMessage): string[] {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return [...CONNECTION_HEADERS, ...named.filter(Boolean)];
}

/** The system's error message, which contains no header or body. */
function findCause(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof AggregateError && error.errors[0]) return findCause(error.errors[0] as Error);
  return code && !error.message.includes(code) ? `${error.message} (${code})` : error.message;
}
