/**
 * The server behind the door: plain HTTP on connections that `door.ts` accepts. Loaded with the first of them, so that
 * bodies without connections do not pay for it.
 *
 * Invariants: no route is reached, and no byte of a body read, without a token for this very body; a connection that
 * sends no request soon, or one without a valid token, is closed, and a flood of such connections cannot keep the manager out; an exception of a
 * route is sent only if it is a Fault, and ends nothing but its own request.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { formatResponse } from '../../src/http/format-response.ts';
import { type ApiResponse, errorResponse, jsonResponse } from '../../src/http/route.ts';
import { DOOR_REFUSAL, type DoorRefusal } from '../../src/model/doors/door-token.ts';
import { Fault } from '../../src/model/values/fault.ts';
import { toPartFault } from '../missing-part.ts';
import type { DoorBody, DoorRoute } from './route.ts';
import { findRoutes } from './route.ts';
import { DOOR_ROUTES } from './routes/index.ts';

/** The format of requests and routes, for managers of other versions. */
const FORMAT = 1;
const HEADER_BYTES = 32 * 1024;
/** A connection without a request is closed after this time, in milliseconds. */
const STRANGER_MS = 10_000;
/** Connections that have sent no request so far; a further one replaces the oldest. */
const STRANGERS = 256;

export interface DoorServerOptions {
  /** Why the token does not allow a request now. */
  refusal: (token: string | undefined) => Promise<DoorRefusal | undefined>;
  /** What is reported of the body. */
  about: () => { worker_id: string; incarnation: number };
  /** The body; `undefined` while no worker has claimed it. */
  body: () => DoorBody | undefined;
  log: { error(message: string, fields: object): void };
  /** The routes instead of all of them; for tests. */
  routes?: readonly DoorRoute[];
}

export interface DoorServer {
  accept(socket: Duplex): void;
  close(): void;
}

const REFUSALS: Record<DoorRefusal, [status: number, message: string]> = {
  token: [401, 'The door requires a token of a manager: send "Authorization: Bearer TOKEN".'],
  key: [401, 'The manager that signed the token is not known.'],
  expired: [401, 'The token has expired.'],
  subject: [403, 'The token is for another body.'],
  unavailable: [503, 'The token cannot be checked now, because Redis does not answer. Try again later.'],
};

export function createDoorServer(options: DoorServerOptions): DoorServer {
  const { log, routes = DOOR_ROUTES } = options;
  const sockets = new Set<Duplex>();
  /** Connections without a request so far, oldest first. */
  const strangers = new Map<Duplex, NodeJS.Timeout>();

  const server = createServer(
    { maxHeaderSize: HEADER_BYTES, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0, noDelay: true },
    (request, response) => {
      void handle(request, response).catch((thrown: unknown) => fail(response, thrown, request));
    },
  );
  // The manager sends a stream only once its token is accepted.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    void handle(request, response).catch((thrown: unknown) => fail(response, thrown, request));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {});
    void upgrade(request, socket, head).catch((thrown: unknown) => {
      if (socket.writable) socket.end(formatResponse(toResponse(thrown, request)));
    });
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable)
      socket.end(formatResponse(errorResponse(new Fault('invalid_command', 'This is not an HTTP request.'))));
  });

  /** Throws, or returns the response of a refusal. */
  async function refuse(request: IncomingMessage): Promise<ApiResponse | undefined> {
    const token = /^Bearer (.*)$/i.exec(request.headers.authorization ?? '')?.[1];
    welcome(request.socket);
    const why = await options.refusal(token);
    if (why === undefined) return undefined;
    const [status, message] = REFUSALS[why];
    const fault = new Fault(why === 'unavailable' ? 'unavailable' : 'invalid_command', message);
    const response = errorResponse(fault, status);
    return { ...response, headers: { ...response.headers, [DOOR_REFUSAL]: why, connection: 'close' } };
  }

  /** The route of a request; throws a Fault if there is none. */
  function find(request: IncomingMessage, isUpgrade: boolean) {
    const [path = '', search = ''] = (request.url ?? '/').split('?', 2);
    const found = findRoutes(routes, path);
    const method = request.method ?? '';
    const fitting = (one: DoorRoute) =>
      isUpgrade
        ? one.upgrade && method === 'GET'
        : one.handle &&
          (one.method === method || one.method === 'ANY' || (one.method === 'GET' && method === 'HEAD'));
    const route =
      found?.routes.find((one) => one.method === method && fitting(one)) ?? found?.routes.find(fitting);
    if (!found || !route)
      throw new Fault(
        'unsupported',
        `This body has no ${method} ${path.slice(0, 200)}: its image is of another version.`,
      );
    const body = options.body();
    if (!body) throw new Fault('conflict', 'No worker has claimed this body yet.');
    return {
      route,
      call: { body, params: found.params, rest: found.rest, query: new URLSearchParams(search) },
    };
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refused = await refuse(request);
    if (refused) return send(response, refused, request);
    if (request.headers.expect) response.writeContinue();
    if (request.method === 'GET' && request.url === '/door')
      return send(
        response,
        jsonResponse(200, { format: FORMAT, claimed: !!options.body(), ...options.about() }),
      );
    const { route, call } = find(request, false);
    await route.handle?.({ ...call, request, response });
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const refused = await refuse(request);
    if (refused) {
      socket.end(formatResponse(refused));
      return;
    }
    if (request.headers.expect) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    const { route, call } = find(request, true);
    await route.upgrade?.({ ...call, request, socket, head });
  }

  function fail(response: ServerResponse, thrown: unknown, request: IncomingMessage): void {
    if (response.headersSent) response.destroy();
    else send(response, toResponse(thrown, request), request);
  }

  function toResponse(error: unknown, request: IncomingMessage): ApiResponse {
    const thrown = toPartFault(error);
    if (thrown instanceof Fault && thrown.code !== 'internal') return errorResponse(thrown);
    // The manager has gone away, and the route did not fail.
    if (!request.destroyed)
      log.error('request to the door failed', {
        path: request.url?.replace(/\?.*$/s, '').slice(0, 200),
        error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
      });
    return errorResponse(new Fault('internal', 'The request failed in the body; see its log.'));
  }

  function welcome(socket: Duplex): void {
    clearTimeout(strangers.get(socket));
    strangers.delete(socket);
  }

  return {
    accept(socket) {
      sockets.add(socket);
      const late = setTimeout(() => socket.destroy(), STRANGER_MS);
      late.unref();
      strangers.set(socket, late);
      socket.on('error', () => {});
      socket.once('close', () => {
        welcome(socket);
        sockets.delete(socket);
      });
      const [oldest] = strangers.keys();
      if (strangers.size > STRANGERS) oldest?.destroy();
      server.emit('connection', socket);
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function send(
  response: ServerResponse,
  { status, headers, body }: ApiResponse,
  request?: IncomingMessage,
): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...headers,
    // What is left of the request's body is not read.
    ...(request && !request.complete && { connection: 'close' }),
  });
  response.end(request?.method === 'HEAD' ? undefined : body);
  request?.resume();
}
