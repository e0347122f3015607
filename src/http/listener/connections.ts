/**
 * Limits the number of connections of a server, so that slow or numerous clients do not use up the process's
 * descriptors.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Fault } from '../../model/values/fault.ts';
import { formatResponse } from '../format-response.ts';
import { errorResponse } from '../route.ts';

/** Time in milliseconds for a client to send the headers of a request, and the whole request. */
export const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 10_000,
};
/** Maximum number of connections on any machine. */
const MOST = 1000;
/** The share of this process's descriptors for clients; the rest is for Redis, engines, files and pipes. */
const SHARE = 1 / 4;
/** Used if the limit cannot be read; POSIX systems allow at least this many by default. */
const USUAL_DESCRIPTORS = 1024;
const FULL = formatResponse(
  errorResponse(
    new Fault('capacity', 'The manager holds as many connections as it can. Try again later.'),
    503,
  ),
);

/** The maximum number of connections of a server, based on the process's limit of descriptors. */
export function connectionLimit(): number {
  let descriptors = USUAL_DESCRIPTORS;
  try {
    const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    descriptors = soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    // Not Linux.
  }
  return Math.max(16, Math.min(MOST, Math.floor(descriptors * SHARE) || MOST));
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/**
 * Holds at most `most` connections. A further one replaces the connection that has waited longest for its client, to
 * send a request or to read a response. A probe is answered even during a flood of slow clients, because it sends its
 * request immediately. If all connections wait for the server, the new one is refused.
 */
export function boundConnections(server: Server, most = connectionLimit()): { keep(socket: Duplex): void } {
  /** The state of each connection, oldest first. */
  const exchanges = new Map<Duplex, Exchange | 'kept' | undefined>();
  const makeRoom = () => {
    for (const [socket, exchange] of exchanges) {
      if (exchange === 'kept') continue;
      if (exchange?.request.complete && !exchange.response.writableEnded) continue;
      exchanges.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  };
  server.on('connection', (socket: Socket) => {
    if (exchanges.size >= most && !makeRoom()) {
      socket.on('error', () => {});
      socket.end(FULL, () => socket.destroy());
      return;
    }
    exchanges.set(socket, undefined);
    socket.once('close', () => exchanges.delete(socket));
  });
  server.on('request', (request, response) => {
    const { socket } = request;
    if (exchanges.has(socket)) exchanges.set(socket, { request, response });
    response.on('finish', () => {
      // It becomes the youngest, because it has just completed a request.
      if (exchanges.delete(socket) && !socket.destroyed) exchanges.set(socket, undefined);
    });
  });
  // One that was let in may take any time to send and to read.
  return { keep: (socket) => void (exchanges.has(socket) && exchanges.set(socket, 'kept')) };
}
