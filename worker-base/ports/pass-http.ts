/**
 * Passes a request on to a program that listens on a port of the body, and its answer back, as they come.
 *
 * Invariants: what is meant for the door (the token) does not reach the program; an answer that was cut is cut for the
 * client too.
 */
import {
  request as ask,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { CONNECTION_HEADERS } from '../../src/http/listener/connection-headers.ts';
import { flushSoon } from '../../src/http/listener/flush-soon.ts';
import { joinStreams } from '../../src/http/listener/join-streams.ts';
import { Fault } from '../../src/model/values/fault.ts';
import type { BodyPorts } from './body-ports.ts';

const CONNECTION = new Set<string>(CONNECTION_HEADERS);
/** The manager sends the program's own credentials under this name, because the door has a token of its own. */
const OWN_AUTHORIZATION = 'x-worker-manager-authorization';
const DROPPED = new Set([...CONNECTION_HEADERS, 'authorization', 'expect', 'host', OWN_AUTHORIZATION]);

export interface PortRequest {
  ports: BodyPorts;
  port: number;
  /** Path and query for the program. */
  path: string;
}

/** Rejects with a Fault if there is no answer. */
export function passHttp(
  request: IncomingMessage,
  response: ServerResponse,
  { ports, port, path }: PortRequest,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { method } = request;
    const headers = toHeaders(request.headers, port);
    const inner = ask({ agent: ports.agent, port, method, path, headers });
    let isDone = false;
    inner.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, keep(answer.headers));
      answer.pipe(response);
      flushSoon(response);
      answer.once('error', () => response.destroy());
      answer.once('close', () => {
        isDone = true;
        if (!answer.complete) response.destroy();
        resolve();
      });
    });
    inner.once('error', (error) => {
      if (response.headersSent) response.destroy();
      // The program has closed a kept connection just now, and read nothing of this request.
      const isStale = inner.reusedSocket && (method === 'GET' || method === 'HEAD') && !response.headersSent;
      if (isStale && !response.destroyed)
        passHttp(request, response, { ports, port, path }).then(resolve, reject);
      else reject(toFault(error, port));
    });
    response.once('close', () => isDone || inner.destroy());
    request.once('error', () => inner.destroy());
    request.pipe(inner);
  });
}

/** The same for a change of protocol: the connections are joined after it. */
export function passUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  { ports, port, path, head }: PortRequest & { head: Buffer },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { upgrade = '' } = request.headers;
    const headers = { ...toHeaders(request.headers, port), connection: 'Upgrade', upgrade };
    const inner = ask({ agent: ports.agent, port, method: 'GET', path, headers });
    let changed = false;
    const answer = (response: IncomingMessage, isUpgrade: boolean) => {
      const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`];
      const { rawHeaders } = response;
      for (let at = 0; at < rawHeaders.length; at += 2) {
        const name = rawHeaders[at] ?? '';
        if (isUpgrade || !CONNECTION.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[at + 1]}`);
      }
      if (!isUpgrade) lines.push('connection: close');
      socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    };
    inner.once('upgrade', (response, other, rest) => {
      changed = true;
      answer(response, true);
      if (rest.length > 0) socket.write(rest);
      if (head.length > 0) other.write(head);
      joinStreams(socket, other);
      resolve();
    });
    inner.once('response', (response) => {
      answer(response, false);
      response.pipe(socket);
      response.once('error', () => socket.destroy());
      resolve();
    });
    inner.once('error', (error) => reject(toFault(error, port)));
    // From the change of protocol on, the connection is no longer that of the request.
    socket.once('close', () => changed || inner.destroy());
    inner.end();
  });
}

function toHeaders(headers: IncomingHttpHeaders, port: number): IncomingHttpHeaders {
  const {
    'x-forwarded-host': host,
    'x-forwarded-prefix': prefix,
    [OWN_AUTHORIZATION]: authorization,
  } = headers;
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !DROPPED.has(name)));
  return {
    ...kept,
    ...(authorization !== undefined && { authorization: String(authorization) }),
    // Below a prefix the program does not have the name of the server, and development servers refuse unknown names.
    host: prefix === undefined && typeof host === 'string' ? host : `localhost:${port}`,
  };
}

const keep = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !CONNECTION.has(name)));

function toFault(error: Error, port: number): Fault {
  if (error instanceof Fault) return error;
  return new Fault(
    'unavailable',
    `The program on port ${port} of this worker gave no answer: ${error.message}.`,
    {
      cause: error,
      reason: 'port_closed',
    },
  );
}
