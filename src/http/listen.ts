/**
 * An HTTP server over a table of routes: what the manager and every task worker answer with.
 *
 * What must always hold: a request that is broken, endless or slow ends nothing but itself; what a handler throws is
 * never told to the client unless it is a Fault; a page of another site in somebody's browser can change nothing, and
 * nothing is answered to one whose name was made to point here.
 * Must not import anything of ours but the model's faults, since the wrapper holds it too.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Fault } from '../model/fault.ts';
import { type HostPolicy, hostPolicy, isOurHost } from './hosts.ts';
import { type Asked, match, type Reply, type Route, refusal } from './route.ts';

/** Levels of lists and objects in a body: what checks it goes down by calls, and so does a handler's language. */
const DEEPEST = 200;
/** Bytes of a request's body that are read: an argument of a task may be long, and is held in memory. */
const BODY_BYTES = 16 * 1024 ** 2;

const MISDIRECTED = 421;

export interface ListenOptions {
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** The names of the settings that they came from, for an error that says what to change. */
  names: { host: string; port: string };
  routes: readonly Route[];
  /** Names under which it is asked, beside its own; see `hosts.ts`. */
  allowedHosts?: readonly string[];
  /** API_TOKEN: asked for as `Authorization: Bearer …` on every route that is not open. */
  token?: string | undefined;
  log: { error(message: string, fields: object): void };
}

export interface HttpServer {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly port: number;
  /** Ends what is under way and resolves when nothing listens any more. */
  close(): Promise<void>;
}

/** Listens, or throws a Fault `unavailable` that names the setting to change. */
export async function listen(options: ListenOptions): Promise<HttpServer> {
  const { host, port, log } = options;
  const hosts = hostPolicy(host, options.allowedHosts);
  const server = createServer((request, response) => {
    answer(request, options, hosts)
      .catch((thrown: unknown): Reply => {
        if (thrown instanceof Fault && thrown.code !== 'internal') return refusal(thrown);
        // Its client has gone in the middle of it: nobody hears the answer, and nothing of ours has failed.
        if (request.destroyed && !request.complete) return refusal(BROKEN_OFF);
        log.error('an HTTP request failed', { err: thrown, path: pathOf(request) });
        return refusal(new Fault('internal', 'The request could not be answered; the log says why.'));
      })
      .then((reply) => send(request, response, reply));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, options)));
    server.listen({ host, port, exclusive: true }, resolve);
  });
  server.on('error', (error) => log.error('the HTTP server failed', { err: error }));
  const bound = (server.address() as AddressInfo).port;
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

async function answer(
  request: IncomingMessage,
  { routes, token }: ListenOptions,
  hosts: HostPolicy,
): Promise<Reply> {
  const path = pathOf(request);
  const { host } = request.headers;
  if (!isOurHost(host, hosts)) {
    const what = `This server does not answer to the name ${JSON.stringify(host?.slice(0, 253))}. Use its address, or add the name to HTTP_ALLOWED_HOSTS.`;
    return refusal(new Fault('unsupported', what), MISDIRECTED);
  }
  const found = match(routes, path);
  if (!found) {
    const paths = [...new Set(routes.map((route) => route.path))].join(', ');
    return refusal(new Fault('not_found', `There is nothing at ${path}. Try ${paths}.`));
  }
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '');
  const route = found.routes.find((one) => one.method === method);
  if (!route) {
    const allowed = found.routes.map((one) => (one.method === 'GET' ? 'GET, HEAD' : one.method)).join(', ');
    const what = `${path} can't be asked by ${request.method}: use ${allowed}.`;
    return { ...refusal(new Fault('unsupported', what), 405), headers: { allow: allowed } };
  }
  if (!route.open && !hasToken(request, token)) {
    const fault = new Fault(
      'invalid_command',
      `${path} asks for the token: send "Authorization: Bearer TOKEN".`,
    );
    return { ...refusal(fault, 401), headers: { 'www-authenticate': 'Bearer' } };
  }
  if (method !== 'GET' && isForeign(request))
    return refusal(new Fault('unsupported', 'Cross-origin request rejected.'), 403);
  const query = new URLSearchParams(/\?([^#]*)/.exec(request.url ?? '')?.[1] ?? '');
  const text = () => bodyOf(request);
  const { params } = found;
  return route.handle({
    method,
    path,
    params,
    query,
    headers: request.headers,
    text,
    json: () => jsonOf(text),
  } satisfies Asked);
}

function hasToken({ headers }: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true;
  const given = Buffer.from(/^Bearer (.*)$/i.exec(headers.authorization ?? '')?.[1] ?? '');
  const wanted = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** A browser names the site of the page with every request that changes something; no other client does. */
function isForeign({ headers: { origin, host } }: IncomingMessage): boolean {
  return origin !== undefined && origin.replace(/^https?:\/\//, '') !== host;
}

const BROKEN_OFF = new Fault('invalid_command', 'The request was broken off.');

async function jsonOf(text: () => Promise<string>): Promise<unknown> {
  const body = await text();
  let value: unknown;
  try {
    // RFC 8259 lets a parser ignore a byte order mark, which some clients send.
    value = JSON.parse(body.replace(/^\uFEFF/, ''));
  } catch {
    throw new Fault('invalid_command', 'The body of the request is not JSON.');
  }
  if (isDeeper(value, DEEPEST))
    throw new Fault(
      'invalid_command',
      `The body of the request is nested too deeply: more than ${DEEPEST} levels.`,
    );
  return value;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  // Left early, a request takes its connection with it, and the refusal that is on its way.
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES)
      throw new Fault('invalid_command', `The body of the request has more than ${BODY_BYTES} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The path without its query, cut so that an endless one fills neither an answer nor the log. */
function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').replace(/[?#].*$/s, '').slice(0, 400);
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, {
    'content-type': reply.type ?? 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...reply.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : reply.body);
  // A body that nobody reads would hold the connection.
  request.resume();
}

type Why = (options: ListenOptions) => string;
const WHY: Record<string, Why> = {
  EADDRINUSE: ({ port, names }) =>
    `port ${port} is taken by another program. Set ${names.port} to a free port, or end that program`,
  EACCES: ({ port, names }) => `port ${port} is reserved for root. Set ${names.port} to a port above 1023`,
  EADDRNOTAVAIL: ({ host, names }) =>
    `${host} is no address of this machine. Set ${names.host} to one of its own, such as 127.0.0.1`,
  ENOTFOUND: ({ host, names }) =>
    `${host} is not known as a name. Set ${names.host} to an address of this machine, such as 127.0.0.1`,
};

function explain(error: NodeJS.ErrnoException, options: ListenOptions): Fault {
  const { host, port, names } = options;
  const why = WHY[error.code ?? '']?.(options) ?? `${error.message}. See ${names.host} and ${names.port}`;
  return new Fault('unavailable', `Cannot listen on ${host}:${port}: ${why}.`, { cause: error });
}
