/**
 * Passes requests on to another HTTP server of this process, which listens on a socket of its own: whole, and only as
 * many at once as that server can work on. What is slow, broken or too many ends here.
 */
import {
  request as ask,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { Fault } from '../model/fault.ts';
import { readBody } from './body.ts';
import type { RequestForwarder } from './listen.ts';

/** Requests that are with the other server at once: each takes two descriptors. */
const AT_ONCE = 64;
/** A loop that has been silent for so long, in milliseconds, is given nothing new. */
const BUSY_MS = 5000;
/** A client that takes in nothing of an answer for so long, in milliseconds, makes room for others. */
const UNREAD_MS = 30_000;
/** Fields that are about a connection (RFC 9110, 7.6.1) or about how a body is sent, and so end with theirs. */
const OF_A_CONNECTION = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['expect', 'content-length'],
]);

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
    // Read before it counts: a client that sends slowly holds back nobody.
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
    // Kept alive: a refusal that comes before the body was read would otherwise break off what is still being sent.
    const headers = {
      ...forwardedHeaders(request.headers),
      'content-length': body.length,
      connection: 'keep-alive',
    };
    // No connection is used twice: a server that was blocked may close an idle one on the request that is in it.
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
  Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_A_CONNECTION.has(name)));
