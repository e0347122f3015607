/**
 * Passes requests for the bodies of workers on to the API of this process as they come: of any size and duration, with
 * back-pressure in both directions. Must not parse anything of them.
 *
 * Invariant: the caller has checked who may send them, before the first byte is read here.
 */
import { type Agent, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Fault } from '../../model/values/fault.ts';
import { countPassed } from '../doors/collect-buffers.ts';
import { flushSoon } from './flush-soon.ts';
import { joinStreams } from './join-streams.ts';
import { endWhenStalled } from './stalled.ts';

/** Headers that Node writes itself for a body that is passed on in pieces. */
const DROPPED = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'expect']);

/** How long what a client still sends after the response is dropped, in milliseconds, before it is cut. */
const LINGER_MS = 10_000;

/** The heap of this thread is small, so that fewer bytes make V8 mark it. */
const EVERY_BYTES = 4 * 1024 ** 2;
const count = (part: Buffer) => countPassed(part.length, EVERY_BYTES);

interface DoorTarget {
  socketPath: string;
  agent: Agent;
  /** A client that reads nothing for this time in milliseconds is disconnected. */
  unreadMs: number;
}

/** Resolves when the exchange is over. */
export function streamRequest(
  request: IncomingMessage,
  response: ServerResponse,
  { socketPath, agent, unreadMs }: DoorTarget,
): Promise<void> {
  let complete = false;
  return new Promise((resolve, reject) => {
    const { method, url } = request;
    const headers = keep(request.headers);
    const inner = ask({ socketPath, method, path: url, headers, agent });
    inner.on('response', (answer) => {
      // The connection may be used again for the next request.
      response.once('close', endWhenStalled(request.socket, unreadMs));
      const closes = !response.shouldKeepAlive;
      // Node would close the connection with the end of the response.
      if (!request.complete) response.shouldKeepAlive = true;
      response.writeHead(answer.statusCode ?? 500, answer.statusMessage, keep(answer.headers));
      answer.on('data', count);
      answer.pipe(response);
      flushSoon(response);
      answer.on('error', () => response.destroy());
      answer.on('end', () => {
        complete = true;
        if (request.complete) return;
        // The rest of an unwanted body is dropped: a client that is cut while it sends may not read the response.
        request.unpipe(inner);
        inner.destroy();
        request.resume();
        const late = setTimeout(() => request.socket.destroy(), LINGER_MS);
        request.once('close', () => clearTimeout(late));
        request.once('end', () => {
          clearTimeout(late);
          if (closes) request.socket.destroySoon();
        });
      });
    });
    inner.on('error', (error) => {
      if (response.headersSent || response.destroyed) response.destroy();
      else
        reject(new Fault('unavailable', 'The manager closed the connection; try again.', { cause: error }));
    });
    response.on('close', () => {
      if (!complete) inner.destroy();
      resolve();
    });
    request.on('aborted', () => inner.destroy());
    request.on('data', count);
    request.pipe(inner);
  });
}

function keep(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !DROPPED.has(name)));
}

/** Connects a client that wants another protocol with the API, which answers it; the connection is theirs from then on. */
export function streamUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { socketPath, unreadMs }: Omit<DoorTarget, 'agent'>,
): Promise<void> {
  return new Promise((resolve) => {
    const inner = connect({ path: socketPath, allowHalfOpen: true });
    const { method, url, httpVersion, rawHeaders } = request;
    const lines = [`${method} ${url} HTTP/${httpVersion}`];
    for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
    inner.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    if (head.length > 0) inner.write(head);
    joinStreams(socket, inner);
    endWhenStalled(socket as Socket, unreadMs);
    socket.once('close', () => resolve());
  });
}
