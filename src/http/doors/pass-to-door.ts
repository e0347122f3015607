/**
 * Passes a request of the API on to the door of a worker's body, and streams the answer back.
 *
 * Invariants: what is meant for the manager (the token, the host) does not reach the body; a client that disconnects ends
 * the request in the body at once; an answer that was cut is cut for the client too, and never looks complete.
 */
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  STATUS_CODES,
} from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toClientProtocols } from '../access/access.ts';
import type { ApiPlugin } from '../api.ts';
import { CONNECTION_HEADERS } from '../listener/connection-headers.ts';
import { flushSoon } from '../listener/flush-soon.ts';
import { joinStreams } from '../listener/join-streams.ts';
import type { UpgradeCall } from '../upgrade-route.ts';
import { countPassed } from './collect-buffers.ts';
import type { DoorCall, DoorService } from './door-service.ts';

/** Headers that are not passed on to a body. */
const OURS = new Set([...CONNECTION_HEADERS, 'authorization', 'host', 'cookie', 'x-request-id']);
const CONNECTION = new Set(CONNECTION_HEADERS);

export interface PassOptions extends Pick<DoorCall, 'kind' | 'path' | 'isSafe' | 'waitSeconds'> {
  worker_id: string;
  /** By default that of the request. */
  method?: string;
  /** By default the request's own, as it comes; see `withRawBodies`. */
  body?: Buffer | string;
  /** In addition to the request's own. */
  headers?: Record<string, string | undefined>;
  /** Whether an answer to a change of protocol may set cookies. */
  allowsCookies?: boolean;
  /** Changes the headers of the answer. */
  toAnswerHeaders?: (headers: IncomingHttpHeaders) => OutgoingHttpHeaders;
  /** Called with the door's answer, before it is passed on. */
  onAnswer?: (answer: IncomingMessage) => void;
}

/** Sends the request to the door, and its response to the client. Throws a Fault if the door gives none. */
export async function passToDoor(
  doors: DoorService,
  request: FastifyRequest,
  reply: FastifyReply,
  options: PassOptions,
): Promise<FastifyReply> {
  const { worker_id, kind, path, waitSeconds, method = request.method, body = bodyOf(request.raw) } = options;
  const headers = dropAbsent({ ...without(request.headers, OURS), ...options.headers });
  if (options.body !== undefined) delete headers['content-length'];
  const gone = new AbortController();
  const { raw } = reply;
  // An abort makes an exception, which takes longer than much of the rest.
  raw.once('close', () => (raw.writableFinished && request.raw.complete) || gone.abort());
  const isSafe = options.isSafe === true && body === undefined;
  const call = { kind, method, path, headers, body, isSafe, waitSeconds, signal: gone.signal };
  const answer = await doors.request(worker_id, call);
  options.onAnswer?.(answer);
  reply.hijack();
  raw.writeHead(answer.statusCode ?? 502, {
    ...(reply.getHeaders() as OutgoingHttpHeaders),
    ...(options.toAnswerHeaders ?? ((all) => all))(without(answer.headers, CONNECTION)),
  });
  answer.on('data', (part: Buffer) => countPassed(part.length));
  answer.pipe(raw);
  flushSoon(raw);
  answer.once('error', () => raw.destroy());
  answer.once('close', () => answer.complete || raw.destroy());
  return reply;
}

/** A module of routes whose handlers get the bodies of requests unread, of any type and size. */
export const withRawBodies =
  (plugin: ApiPlugin): ApiPlugin =>
  async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    await app.register(plugin);
  };

/** Sends the request to the door, and connects the client with it if the door changes the protocol; returns the status. */
export async function passUpgradeToDoor(
  doors: DoorService,
  { request, socket, head }: UpgradeCall,
  options: Omit<PassOptions, 'body' | 'method' | 'onAnswer'>,
): Promise<number> {
  const { worker_id, kind, path, waitSeconds } = options;
  const { upgrade = '', 'sec-websocket-protocol': protocols } = request.headers;
  const own = toClientProtocols(protocols);
  const headers = dropAbsent({
    ...without(request.headers, OURS),
    connection: 'Upgrade',
    upgrade,
    ...options.headers,
  });
  delete headers['sec-websocket-protocol'];
  if (own) headers['sec-websocket-protocol'] = own;
  const gone = new AbortController();
  let isJoined = false;
  // From then on, what waits to be written to the body is written.
  socket.once('close', () => isJoined || gone.abort());
  const answer = await doors.upgrade(worker_id, {
    kind,
    method: 'GET',
    path,
    headers,
    waitSeconds,
    signal: gone.signal,
  });
  const { response } = answer;
  const status = response.statusCode ?? 502;
  const lines = [`HTTP/1.1 ${status} ${response.statusMessage || STATUS_CODES[status]}`];
  const { rawHeaders } = response;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.toLowerCase() === 'set-cookie' && !options.allowsCookies) continue;
    if (answer.socket || !CONNECTION.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  if (!answer.socket) lines.push('connection: close');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (!answer.socket) {
    response.pipe(socket);
    response.once('error', () => socket.destroy());
    return status;
  }
  if (answer.head?.length) socket.write(answer.head);
  if (head.length > 0) answer.socket.write(head);
  isJoined = true;
  joinStreams(socket, answer.socket);
  return status;
}

const bodyOf = (request: IncomingMessage) =>
  (request.headers['content-length'] ?? '0') !== '0' || request.headers['transfer-encoding'] !== undefined
    ? request
    : undefined;

/** A header that is undefined takes the place of the request's own, and is not sent. */
function dropAbsent(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

function without(headers: IncomingHttpHeaders, names: ReadonlySet<string>): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.has(name)));
}
