/** Answers what is not a request of HTTP, or one with too many headers, with an error as any other; Node's answer is empty. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Fault } from '../../model/values/fault.ts';
import { formatResponse } from '../format-response.ts';
import { errorResponse } from '../route.ts';

/** How long a refused client may send on, in milliseconds: closing at once could destroy the answer on its way. */
const LINGER_MS = 1000;

interface ParseError extends Error {
  code?: string;
  reason?: string;
}

export function refuseUnreadable(server: Server): void {
  /** The last request on each connection, while it is answered: an error would corrupt the response. */
  const answering = new WeakMap<Duplex, { request: IncomingMessage; response: ServerResponse }>();
  const refused = new WeakSet<Duplex>();
  server.on('request', (request, response) => {
    const { socket } = request;
    answering.set(socket, { request, response });
    response.once('close', () => answering.delete(socket));
  });
  server.on('checkExpectation', (_request, response: ServerResponse) => {
    const why = 'The only value of the header Expect is 100-continue.';
    const { status, body } = errorResponse(new Fault('invalid_command', why), 417);
    const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length };
    response.writeHead(status, { ...headers, connection: 'close' }).end(body);
  });
  server.on('clientError', (error: ParseError, duplex) => {
    const socket = duplex as Socket;
    if (refused.has(socket)) {
      // It has gone while it is answered.
      if (socket.readableEnded && answering.has(socket)) socket.destroy();
      return;
    }
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy(error);
      return;
    }
    refused.add(socket);
    const open = answering.get(socket);
    if (open?.request.complete) {
      open.response.once('finish', () => socket.destroySoon());
      return;
    }
    // It was cut in the middle of its body, which those who read that must notice.
    if (open) {
      socket.destroy(error);
      return;
    }
    const late = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(late));
    const [status, message] = explain(error);
    socket.end(formatResponse(errorResponse(new Fault('invalid_command', message), status)));
  });
}

function explain({ code, reason, message }: ParseError): [status: number, message: string] {
  if (code === 'HPE_HEADER_OVERFLOW')
    return [431, 'The path and the headers of a request have at most 16 KiB together.'];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'The request was not complete in time.'];
  const why = (reason ?? message).replace(/[^\x20-\x7e]/g, '').slice(0, 200);
  return [400, `The request is not HTTP/1.1 as it should be: ${why}.`];
}
