/**
 * Forwards requests to another HTTP server of this process, which listens on its own socket. Requests are forwarded
 * completely, and only as many at once as that server can handle. Slow, broken or excessive requests end here; responses are
 * passed on as they come, except for orders to send a stream from here.
 *
 * Invariant: requests that wait (streams of events, `?wait=…`) use up no place of the others, and have a limit of their own.
 */
import {
  Agent,
  request as ask,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Fault } from '../../model/values/fault.ts';
import { readBody } from '../body.ts';
import { isDoorPath } from '../doors/door-paths.ts';
import { CONNECTION_HEADERS } from './connection-headers.ts';
import { connectionLimit } from './connections.ts';
import { flushSoon } from './flush-soon.ts';
import { streamRequest, streamUpgrade } from './forward-door.ts';
import type { RequestForwarder, UpgradeForwarder } from './listen.ts';
import { ORDER_PATHS, ORDER_TYPE, type StreamOrder } from './stream-order.ts';

/** Maximum number of short requests at once; each uses two descriptors. */
const AT_ONCE = 64;
/** A request that takes longer than this in milliseconds, or whose response is a stream, counts as waiting. */
const SHORT_MS = 1000;
/** Requests that say that they will wait. */
const WAITS = /[?&]wait=/;
/** Share of the connections that may wait; the rest is for short requests and probes. */
const WAITING_SHARE = 1 / 2;
/** Share of the connections that may have another protocol. */
const UPGRADE_SHARE = 1 / 4;
/** Idle connections to the other server that are kept for the next requests, and for how long in milliseconds. */
const IDLE = 64;
const IDLE_MS = 10_000;
/** If the loop has been blocked for this time in milliseconds, it gets no new requests. */
const BUSY_MS = 5000;
/** A client that reads nothing of a response for this time in milliseconds is disconnected. */
const UNREAD_MS = 30_000;
const EVENT_STREAM = 'text/event-stream; charset=utf-8';
/** A body is forwarded whole, so Node sets its length. */
const DROPPED = new Set([...CONNECTION_HEADERS, 'content-length']);

/** Carries out the other server's order to send a stream; resolves when it has ended. */
export type StreamSender = (order: StreamOrder, response: ServerResponse) => Promise<void>;

export interface ForwarderOptions {
  socketPath: string;
  /** By default, an order is an ordinary response. */
  sendStream?: StreamSender;
  /** Time in milliseconds since the other server's loop last moved. */
  quietMs: () => number;
  /** Maximum number of waiting requests. */
  mostWaiting?: number;
  /** Milliseconds, instead of UNREAD_MS. */
  unreadMs?: number;
}

export function createRequestForwarder(options: ForwarderOptions): RequestForwarder {
  const { socketPath, quietMs, sendStream, unreadMs = UNREAD_MS } = options;
  const mostWaiting = options.mostWaiting ?? Math.floor(connectionLimit() * WAITING_SHARE);
  // The other server never closes an idle connection, so a request is not cut off by that.
  const agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE, timeout: IDLE_MS });
  let [active, waiting] = [0, 0];
  const tooMany = () =>
    new Fault('unavailable', `${AT_ONCE} requests are already in progress. Try again later.`);
  const full = () =>
    new Fault('capacity', `${mostWaiting} streams and waiting requests are already open. Try again later.`);
  return async (request, response) => {
    const seconds = Math.floor(quietMs() / 1000);
    if (quietMs() >= BUSY_MS)
      throw new Fault('unavailable', `The manager has been busy for ${seconds} s. Try again later.`);
    if (isDoorPath(request.url)) {
      if (waiting >= mostWaiting) throw full();
      waiting += 1;
      await streamRequest(request, response, { socketPath, agent, unreadMs }).finally(() => {
        waiting -= 1;
      });
      return;
    }
    // The body is read first, so that a client that sends slowly does not block others.
    const body = await readBody(request);
    const waits = WAITS.test(request.url ?? '');
    if (waits ? waiting >= mostWaiting : active >= AT_ONCE) throw waits ? full() : tooMany();
    active += 1;
    let counted: 'active' | 'waiting' = 'active';
    /** Whether there is a place for one more waiting request. */
    const wait = () => {
      if (counted === 'waiting') return true;
      if (waiting >= mostWaiting) return false;
      counted = 'waiting';
      active -= 1;
      waiting += 1;
      return true;
    };
    if (waits) wait();
    const late = setTimeout(wait, SHORT_MS);
    try {
      await forwardRequest(request, response, { body, socketPath, agent, sendStream, unreadMs, wait, full });
    } finally {
      clearTimeout(late);
      if (counted === 'active') active -= 1;
      else waiting -= 1;
    }
  };
}

/** Forwards upgrades, which hold their connections like requests that wait, and have a limit of their own. */
export function createUpgradeForwarder(options: ForwarderOptions): UpgradeForwarder {
  const { socketPath, quietMs, unreadMs = UNREAD_MS } = options;
  const most = options.mostWaiting ?? Math.floor(connectionLimit() * UPGRADE_SHARE);
  let open = 0;
  return async (request, socket, head) => {
    if (!isDoorPath(request.url))
      throw new Fault('not_found', 'There is nothing here that changes the protocol.');
    if (quietMs() >= BUSY_MS) throw new Fault('unavailable', 'The manager is busy. Try again later.');
    if (open >= most)
      throw new Fault('capacity', `${most} such connections are already open. Try again later.`);
    open += 1;
    await streamUpgrade(request, socket, head, { socketPath, unreadMs });
    open -= 1;
  };
}

function forwardRequest(
  request: IncomingMessage,
  response: ServerResponse,
  to: {
    body: Buffer;
    socketPath: string;
    agent: Agent;
    sendStream: StreamSender | undefined;
    unreadMs: number;
    wait: () => boolean;
    full: () => Fault;
  },
): Promise<void> {
  const { body, socketPath, agent, sendStream, unreadMs, wait, full } = to;
  let complete = false;
  return new Promise((resolve, reject) => {
    const { method, url } = request;
    // Kept alive: an error response before the body was read would otherwise abort a request that is still
    // being sent.
    const headers = {
      ...forwardedHeaders(request.headers),
      'content-length': body.length,
      connection: 'keep-alive',
    };
    const inner = ask({ socketPath, method, path: url, headers, agent });
    inner.on('response', (answer) => {
      const type = answer.headers['content-type'] ?? '';
      const ordered = type.startsWith(ORDER_TYPE) && ORDER_PATHS.test(url ?? '') ? sendStream : undefined;
      if ((ordered || type.startsWith('text/event-stream')) && !wait()) {
        inner.destroy();
        reject(full());
        return;
      }
      answer.on('error', () => response.destroy());
      answer.on('end', () => {
        complete = true;
      });
      const { 'content-length': length } = answer.headers;
      response.writeHead(answer.statusCode ?? 500, answer.statusMessage, {
        ...forwardedHeaders(answer.headers),
        ...(ordered ? { 'content-type': EVENT_STREAM } : length && { 'content-length': length }),
      });
      response.setTimeout(unreadMs, () => response.destroy());
      if (ordered)
        readBody(answer)
          .then((order) => ordered(JSON.parse(order.toString()) as StreamOrder, response))
          .catch(reject);
      else answer.pipe(response);
      flushSoon(response);
    });
    inner.on('error', (error) => {
      if (response.headersSent || response.destroyed) response.destroy();
      else
        reject(new Fault('unavailable', 'The manager closed the connection; try again.', { cause: error }));
    });
    response.on('close', () => {
      // A connection whose response was read completely is used again.
      if (!complete) inner.destroy();
      resolve();
    });
    inner.end(body);
  });
}

const forwardedHeaders = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !DROPPED.has(name)));
