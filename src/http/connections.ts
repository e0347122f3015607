/** How many connections a server holds, so that clients that are slow or many leave descriptors for everything else. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Milliseconds in which a client has to send the header of a request, and all of it. */
export const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 10_000,
};
/** Connections that are worth holding on any machine. */
const MOST = 1000;
/** The share of this process's descriptors that clients may use; the rest is for Redis, engines, files and pipes. */
const SHARE = 1 / 4;
/** Assumed if the limit cannot be read; POSIX systems allow at least as many by default. */
const USUAL_DESCRIPTORS = 1024;
const FULL =
  'HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

/** How many connections a server of this process may hold, by the descriptors that the process may open. */
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

/**
 * Holds at most `most` connections. One more takes the place of the one that has waited longest for its client: to
 * send a request, or to read an answer. A probe is answered in any flood of slow clients, since it sends at once. If
 * all of them wait for us, the new one is refused.
 */
export function boundConnections(server: Server, most = connectionLimit()): void {
  /** What each connection is at; oldest first. */
  const held = new Map<Socket, { request: IncomingMessage; response: ServerResponse } | undefined>();
  const makeRoom = () => {
    for (const [socket, exchange] of held) {
      if (exchange?.request.complete && !exchange.response.writableEnded) continue;
      held.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  };
  server.on('connection', (socket: Socket) => {
    if (held.size >= most && !makeRoom()) {
      socket.on('error', () => {});
      socket.end(FULL, () => socket.destroy());
      return;
    }
    held.set(socket, undefined);
    socket.once('close', () => held.delete(socket));
  });
  server.on('request', (request, response) => {
    const { socket } = request;
    if (held.has(socket)) held.set(socket, { request, response });
    response.on('finish', () => {
      // The youngest again: it has just done what it came for.
      if (held.delete(socket) && !socket.destroyed) held.set(socket, undefined);
    });
  });
}
