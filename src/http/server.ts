/**
 * What is asked over HTTP of a manager: is it alive, is it ready, and its metrics.
 *
 * What must always hold: an answer never waits for Redis or a runtime, so that a probe is answered while they hang;
 * health is what main has gathered already. Must not import the store, the runtimes or the loop.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Fault, type FaultCode, messageOf } from '../model/index.ts';
import { redactText } from '../telemetry/redact.ts';
import type { HealthReport } from './health.ts';

export interface HttpOptions {
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** Answers at once, from what is known already. */
  health: () => HealthReport;
  metrics: { text(): Promise<string>; contentType: string };
  log: { error(fields: object, message: string): void };
}

export interface HttpServer {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly port: number;
  /** Ends what is under way and resolves when nothing listens any more. */
  close(): Promise<void>;
}

interface Reply {
  status: number;
  type?: string;
  headers?: Record<string, string>;
  body: string;
}

/** Listens, or throws a Fault `unavailable` that names the setting to change. */
export async function createHttpServer(options: HttpOptions): Promise<HttpServer> {
  const { host, port, log } = options;
  const server = createServer((request, response) => {
    answer(request, options)
      .catch((thrown: unknown): Reply => {
        log.error({ err: thrown, path: pathOf(request) }, 'an HTTP request failed');
        return refusal(500, 'internal', 'The manager could not answer; its log says why.');
      })
      .then((reply) => send(request, response, reply));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(explain(error, host, port)));
    server.listen({ host, port, exclusive: true }, resolve);
  });
  server.on('error', (error) => log.error({ err: error }, 'the HTTP server failed'));
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

async function answer(request: IncomingMessage, options: HttpOptions): Promise<Reply> {
  const path = pathOf(request);
  const route = ROUTES.get(path);
  if (route === undefined) {
    return refusal(404, 'not_found', `There is nothing at ${path}. Try ${[...ROUTES.keys()].join(', ')}.`);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return {
      ...refusal(405, 'unsupported', `${path} can only be read: use GET or HEAD.`),
      headers: { allow: 'GET, HEAD' },
    };
  }
  return route(options);
}

const ready = ({ health }: HttpOptions) => {
  const { ready, checks } = health();
  return status(ready, checks);
};
const ROUTES = new Map<string, (options: HttpOptions) => Reply | Promise<Reply>>([
  [
    '/livez',
    ({ health }) => {
      const { live, checks } = health();
      return status(live, { loop: checks.loop });
    },
  ],
  ['/readyz', ready],
  ['/healthz', ready],
  [
    '/metrics',
    async ({ metrics }) => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
  ],
]);

function status(ok: boolean, checks: object): Reply {
  // The messages hold what Redis and the engines said, and may be read by anyone who can reach the port.
  const body = JSON.stringify({ status: ok ? 'ok' : 'failing', checks }, (_, value: unknown) =>
    typeof value === 'string' ? redactText(value) : value,
  );
  return { status: ok ? 200 : 503, body: `${body}\n` };
}

function refusal(status: number, code: FaultCode, message: string): Reply {
  return { status, body: `${JSON.stringify({ error: { code, message } })}\n` };
}

/** The path without its query, cut so that an endless one fills neither an answer nor the log. */
function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').replace(/[?#].*$/s, '').slice(0, 200);
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

const WHY: Record<string, (host: string, port: number) => string> = {
  EADDRINUSE: (_, port) =>
    `port ${port} is taken by another program. Set HTTP_PORT to a free port, or end that program`,
  EACCES: (_, port) => `port ${port} is reserved for root. Set HTTP_PORT to a port above 1023`,
  EADDRNOTAVAIL: (host) =>
    `${host} is no address of this machine. Set HTTP_HOST to one of its own, such as 127.0.0.1`,
  ENOTFOUND: (host) =>
    `${host} is not known as a name. Set HTTP_HOST to an address of this machine, such as 127.0.0.1`,
};

function explain(error: NodeJS.ErrnoException, host: string, port: number): Fault {
  const why = WHY[error.code ?? '']?.(host, port) ?? `${messageOf(error)}. See HTTP_HOST and HTTP_PORT`;
  return new Fault('unavailable', `Cannot listen on ${host}:${port}: ${why}.`, { cause: error });
}
