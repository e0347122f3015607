/**
 * An HTTP server with a table of routes, used by the manager and every task worker.
 *
 * Invariants: a broken, endless or slow request affects only itself; an exception of a handler is sent to the client
 * only if it is a Fault; a page of another site cannot change anything, and a page with a rebound name gets no
 * response. Must not import any other folder except the model's faults, because the wrapper bundles it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Fault } from '../../model/values/fault.ts';
import { rejectForeign, rejectHost, rejectHostCount, rejectToken } from '../access/access.ts';
import { type HostPolicy, hostPolicy } from '../access/hosts.ts';
import { readPortHost } from '../access/port-access.ts';
import { decodeBody, parseJsonBody, readBody, TooLarge } from '../body.ts';
import { isDoorPath } from '../doors/door-paths.ts';
import { type ApiRequest, type ApiResponse, errorResponse, matchRoutes, type Route } from '../route.ts';
import { serveUpgrades } from '../upgrades.ts';
import { boundConnections, TIMEOUTS } from './connections.ts';
import { refuseUnreadable } from './refuse-unreadable.ts';

/** Writes the response itself, or throws a Fault. */
export type RequestForwarder = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Takes over the connection until it is closed, or throws a Fault. */
export type UpgradeForwarder = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>;

export interface ListenOptions {
  host: string;
  /** 0 selects a free port. */
  port: number;
  /** The names of the settings for host and port, for error messages. */
  names: { host: string; port: string };
  routes: readonly Route[];
  /** Additional host names that requests may use; see `hosts.ts`. */
  allowedHosts?: readonly string[];
  /** API_TOKEN: required as `Authorization: Bearer …` on every route that is not open. */
  token?: string | undefined;
  /** Handles requests that match no route; by default they get `not_found`. */
  forward?: RequestForwarder | undefined;
  /** Called when a request that was to be forwarded got an error from here instead. */
  onRefused?: (() => void) | undefined;
  /** Handles upgrades of the protocol; by default they are refused. */
  forwardUpgrade?: UpgradeForwarder | undefined;
  /** Listens on this local socket, for another thread of this process, instead of on the port. */
  socketPath?: string;
  log: { error(message: string, fields: object): void };
}

export interface HttpServer {
  /** Its URL, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly port: number;
  /** Closes all connections and resolves when nothing listens any more. */
  close(): Promise<void>;
}

/** Listens, or throws a Fault `unavailable` that names the setting to change. */
export async function listen(options: ListenOptions): Promise<HttpServer> {
  const { host, port, log, routes, token, forward, socketPath } = options;
  const hosts = hostPolicy(host, options.allowedHosts);
  const timeouts = { ...TIMEOUTS, requestTimeout: 0, keepAlive: true, keepAliveInitialDelay: VANISHED_MS };
  // Node's refusal of a request without Host has no error.
  const settings = { ...timeouts, requireHostHeader: false };
  const server = createServer(settings, (request, response) => {
    const unclear = rejectHostCount(request);
    if (unclear) {
      options.onRefused?.();
      send(request, response, unclear);
      return;
    }
    const isLong = forward !== undefined && isForBody(request);
    if (!isLong) endWhenLate(request);
    const away = isLong || matchRoutes(routes, getPath(request)) === undefined ? forward : undefined;
    (away
      ? relay(request, response, away, { token, admit: isLong ? admit : undefined })
      : handleRequest(request, options, hosts)
    )
      .catch((thrown: unknown): ApiResponse | undefined => {
        if (response.headersSent) {
          // It cannot become an error response any more; a client that has gone is not an error.
          if (!response.destroyed)
            log.error('HTTP response cut off', { err: thrown, path: getPath(request) });
          response.destroy();
          return undefined;
        }
        if (thrown instanceof TooLarge) return errorResponse(thrown, 413);
        if (thrown instanceof Fault && thrown.code !== 'internal') return errorResponse(thrown);
        // The client has disconnected: no response can be sent, and this is not an error of the server.
        if (request.destroyed && !request.complete) return errorResponse(BROKEN_OFF);
        log.error('HTTP request failed', { err: thrown, path: getPath(request) });
        return errorResponse(new Fault('internal', 'Internal error; see the log.'));
      })
      .then((reply) => {
        if (!reply) return;
        if (away) options.onRefused?.();
        send(request, response, reply);
      })
      .catch((thrown: unknown) => {
        log.error('failed to send HTTP response', { err: thrown, path: getPath(request) });
        response.destroy();
      });
  });
  refuseUnreadable(server);
  // The other thread has counted its clients already.
  const bounds = socketPath === undefined ? boundConnections(server) : undefined;
  const admit = (socket: Duplex) => bounds?.keep(socket);
  const { forwardUpgrade } = options;
  if (forwardUpgrade)
    serveUpgrades(server, {
      hosts,
      token,
      log,
      handle: async (request, socket, head) => {
        admit(socket);
        await forwardUpgrade(request, socket, head);
      },
    });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, options)));
    server.listen(socketPath === undefined ? { host, port, exclusive: true } : { path: socketPath }, resolve);
  });
  server.on('error', (error) => log.error('HTTP server failed', { err: error }));
  const bound = socketPath === undefined ? (server.address() as AddressInfo).port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handleRequest(
  request: IncomingMessage,
  { routes, token }: ListenOptions,
  hosts: HostPolicy,
): Promise<ApiResponse> {
  const path = getPath(request);
  const misdirected = rejectHost(request.headers, hosts);
  if (misdirected) return misdirected;
  const found = matchRoutes(routes, path);
  if (!found) {
    const paths = [...new Set(routes.map((route) => route.path))].join(', ');
    return errorResponse(new Fault('not_found', `There is nothing at ${path}. Available: ${paths}.`));
  }
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
  const route = found.routes.find((one) => one.method === method);
  if (!route) {
    const allowed = found.routes.map((one) => (one.method === 'GET' ? 'GET, HEAD' : one.method)).join(', ');
    const what = `${path} does not support ${request.method}: use ${allowed}.`;
    return { ...errorResponse(new Fault('unsupported', what), 405), headers: { allow: allowed } };
  }
  const rejected =
    (route.open ? undefined : rejectToken(request, token, path)) ?? rejectForeign(request.headers, method);
  if (rejected) return rejected;
  const query = new URLSearchParams(/\?([^#]*)/.exec(request.url ?? '')?.[1] ?? '');
  const text = async () => decodeBody(await readBody(request));
  const { params } = found;
  return route.handle({
    method,
    path,
    params,
    query,
    headers: request.headers,
    text,
    json: async () => parseJsonBody(await text()),
  } satisfies ApiRequest);
}

/** Forwards a request; its body is read only if the client is allowed to send one. */
async function relay(
  request: IncomingMessage,
  response: ServerResponse,
  forward: RequestForwarder,
  { token, admit }: { token: string | undefined; admit: ((socket: Duplex) => void) | undefined },
): Promise<ApiResponse | undefined> {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  const hasBody = length !== '0' || encoding !== undefined;
  const rejected = hasBody || admit ? rejectToken(request, token, getPath(request)) : undefined;
  if (rejected) return rejected;
  admit?.(request.socket);
  await forward(request, response);
  return undefined;
}

/** Node can limit this only for all requests of a server, and those for bodies have no limit. */
function endWhenLate(request: IncomingMessage): void {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  if (length === '0' && encoding === undefined) return;
  const late = setTimeout(() => request.complete || request.socket.end(LATE), TIMEOUTS.requestTimeout);
  request.once('close', () => clearTimeout(late));
}
const LATE = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
/** A client that has vanished without a word is noticed after about twice this time, in milliseconds. */
const VANISHED_MS = 15_000;

const BROKEN_OFF = new Fault('invalid_command', 'The request was aborted.');

/** The path without its query, truncated for responses and the log. */
function getPath(request: IncomingMessage): string {
  return (request.url ?? '/').replace(/[?#].*$/s, '').slice(0, 400);
}

function send(request: IncomingMessage, response: ServerResponse, reply: ApiResponse): void {
  response.writeHead(reply.status, {
    'content-type': reply.type ?? 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...reply.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : reply.body);
  // An unread body would keep the connection open, and one for a body may be endless.
  if (isForBody(request) && !request.complete) response.once('finish', () => request.socket.destroySoon());
  else request.resume();
}

/** Whether a request is for the body of a worker: by its path, or by a host that stands for a port. */
const isForBody = ({ url, headers }: IncomingMessage) =>
  isDoorPath(url) || readPortHost(headers.host) !== undefined;

type Why = (options: ListenOptions) => string;
const WHY: Record<string, Why> = {
  EADDRINUSE: ({ port, names }) =>
    `port ${port} is used by another program. Set ${names.port} to a free port, or stop that program`,
  EACCES: ({ port, names }) => `port ${port} is reserved for root. Set ${names.port} to a port above 1023`,
  EADDRNOTAVAIL: ({ host, names }) =>
    `${host} is not an address of this machine. Set ${names.host} to one of its addresses, such as 127.0.0.1`,
  ENOTFOUND: ({ host, names }) =>
    `the host name ${host} cannot be resolved. Set ${names.host} to an address of this machine, such as 127.0.0.1`,
};

function explain(error: NodeJS.ErrnoException, options: ListenOptions): Fault {
  const { host, port, names } = options;
  const why = WHY[error.code ?? '']?.(options) ?? `${error.message}. See ${names.host} and ${names.port}`;
  return new Fault('unavailable', `Cannot listen on ${host}:${port}: ${why}.`, { cause: error });
}
