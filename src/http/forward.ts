/**
 * Forwards requests to another HTTP server of this process, which listens on its own socket. Requests are forwarded
 * completely, and only as many at once as that server can handle. Slow, broken or excessive requests end here.
 */
import {
  request as ask,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Fault } from '../model/fault.ts';
import { readBody } from './body.ts';
import { CONNECTION_HEADERS } from './connection-headers.ts';
import type { RequestForwarder } from './listen.ts';

/** Maximum number of forwarded requests at once; each uses two descriptors. */
const AT_ONCE = 64;
/** If the loop has been blocked for this time in milliseconds, it gets no new requests. */
const BUSY_MS = 5000;
/** A client that reads nothing of a response for this time in milliseconds is disconnected. */
const UNREAD_MS = 30_000;
/** A body is forwarded whole, so Node sets its length. */
const DROPPED = new Set([...CONNECTION_HEADERS, 'content-length']);

export function createRequestForwarder(options: {
  socketPath: string;
  quietMs: () => number;
}): RequestForwarder {
  const { socketPath, quietMs } = options;
  let active = 0;
  return async (request, response) => {
    const seconds = Math.floor(quietMs() / 1000);
    if (quietMs() >= BUSY_MS)
      throw new Fault('unavailable', `The manager has been busy for ${seconds} s. Try again later.`);
    // The body is read first, so that a client that sends slowly does not block others.
    const body = await readBody(request);
    if (active >= AT_ONCE)
      throw new Fault('unavailable', `${AT_ONCE} requests are already in progress. Try again later.`);
    active += 1;
    try {
      await forwardRequest(request, response, body, socketPath);
    } finally {
      active -= 1;
    }
  };
}

function forwardRequest(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  socketPath: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { method, url } = request;
    // Kept alive: an error response before the body was read would otherwise abort a request that is still
    // being sent.
    const headers = {
      ...forwardedHeaders(request.headers),
      'content-length': body.length,
      connection: 'keep-alive',
    };
    // Connections are not reused: a server that was blocked may close an idle one while a request is in flight.
    const inner = ask({ socketPath, method, path: url, headers, agent: false });
    inner.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.statusMessage, {
        ...forwardedHeaders(answer.headers),
        ...(answer.headers['content-length'] && { 'content-length': answer.headers['content-length'] }),
      });
      response.setTimeout(UNREAD_MS, () => response.destroy());
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    inner.on('error', (error) => {
      if (response.headersSent || response.destroyed) response.destroy();
      else
        reject(new Fault('unavailable', 'The manager closed the connection; try again.', { cause: error }));
    });
    response.on('close', () => {
      inner.destroy();
      resolve();
    });
    inner.end(body);
  });
}

const forwardedHeaders = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !DROPPED.has(name)));
