/**
 * Passes on the manager's calls to Docker, and refuses every other one with 403.
 *
 * Each request is built again from its checked parts: no header, parameter or body of the client reaches the engine
 * as it is. A connection becomes a plain stream of bytes only after the engine has agreed to that (an exec).
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Policy } from './bodies.ts';
import { describeForeign, Engine } from './engine.ts';
import { findRule, type Match, toPath } from './rules.ts';

/** The largest JSON body; the manager's own limits are below that. */
const BODY_BYTES = 4 * 1024 ** 2;
/** Clients reuse connections as with the engine itself, which closes none. */
const KEEP_ALIVE_MS = 3_600_000;

export interface EngineProxyOptions {
  /** The engine's socket. */
  engine: string;
  policy: Policy;
  /** Called for every refused request. */
  onRefused?(call: string, why: string): void;
}

/** A refusal or an error, as Docker words it. */
interface Failure {
  status: number;
  message: string;
}

interface Call {
  match: Match;
  path: string;
  /** A JSON body; the tar archive of a build comes from the client. */
  json: string | undefined;
}

/** Creates the server; the caller makes it listen. */
export function createEngineProxy({ engine: socketPath, policy, onRefused }: EngineProxyOptions): Server {
  const engine = new Engine(socketPath, policy);

  /** Checks a request; returns what to send on, or the complete answer. */
  async function check(asked: IncomingMessage, read: () => Promise<string>): Promise<Call | Answered> {
    const [method = '', url = ''] = [asked.method, asked.url];
    const forbid = (why: string): Answered => {
      onRefused?.(`${method} ${url.split('?')[0]}`, why);
      return failure({ status: 403, message: `The engine proxy refuses this call: ${why}.` });
    };
    const match = findRule(method, url);
    if (typeof match === 'string') return forbid(match);
    const { rule, object } = match;
    let json: string | undefined;
    if (typeof rule.body === 'function') {
      const body = parse(await read());
      const wrong = rule.body(body, policy);
      if (wrong) return forbid(wrong);
      json = JSON.stringify(body);
    }
    if (object?.kind !== 'container' && !rule.owned) return { match, path: toPath(match), json };
    const found = await engine.inspect(match);
    if ('status' in found) return { status: found.status, body: found.body };
    if (!found.owned && rule.owned) return forbid(`${object?.name} does not have the labels of the manager`);
    if (!found.owned) return { status: 200, body: JSON.stringify(describeForeign(found)) };
    return { match, path: toPath(match, found.id), json };
  }

  function send({ match, path, json }: Call, extra: Record<string, string> = {}) {
    const type = match.rule.body === 'tar' ? 'application/x-tar' : 'application/json';
    const length = json === undefined ? {} : { 'content-length': Buffer.byteLength(json) };
    const headers = { host: 'docker', 'content-type': type, ...length, ...extra };
    return request({ socketPath, agent: engine.agent, method: match.rule.method, path, headers });
  }

  async function pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const call = await check(asked, () => readBody(asked));
    if ('status' in call) return void reply(answer, call);
    const onward = send(call);
    onward.on('error', (error) => reply(answer, unreachable(error)));
    onward.on('response', (from) => {
      const { connection: _, 'transfer-encoding': __, 'keep-alive': ___, ...headers } = from.headers;
      answer.writeHead(from.statusCode ?? 502, headers);
      answer.flushHeaders();
      from.on('error', () => answer.destroy());
      from.pipe(answer);
    });
    answer.on('close', () => onward.destroy());
    if (call.match.rule.body === 'tar') asked.pipe(onward);
    else onward.end(call.json);
  }

  /** A request for a stream in both directions. Its body is not parsed by Node, because the stream may follow it. */
  async function upgrade(asked: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const length = Number(asked.headers['content-length'] ?? 0);
    const first = await readExactly(client, head, length);
    const call = await check(asked, async () => first.toString('utf8'));
    if ('status' in call) return void client.end(toBytes(call));
    if (!call.match.rule.stream) throw new BadRequest('This call has no stream.');
    const onward = send(call, { connection: 'Upgrade', upgrade: 'tcp' });
    onward.on('error', (error) => client.end(toBytes(unreachable(error))));
    onward.on('response', (from) => {
      const chunks: Buffer[] = [];
      from.on('data', (chunk: Buffer) => chunks.push(chunk));
      from.on('end', () =>
        client.end(toBytes({ status: from.statusCode ?? 502, body: Buffer.concat(chunks).toString('utf8') })),
      );
    });
    onward.on('upgrade', (from, stream, early) => {
      const type = from.headers['content-type'] ?? 'application/vnd.docker.raw-stream';
      const lines = ['HTTP/1.1 101 UPGRADED', `Content-Type: ${type}`, 'Connection: Upgrade', 'Upgrade: tcp'];
      client.write(`${lines.join('\r\n')}\r\n\r\n`);
      client.write(early);
      stream.on('error', () => client.destroy());
      // After the end of the engine's stream, the client still gets what is buffered for it.
      stream.on('close', () => stream.readableEnded || client.destroy());
      client.on('close', () => stream.destroy());
      client.pipe(stream).pipe(client);
    });
    client.on('close', () => onward.destroy());
    onward.end(call.json);
  }

  // A build sends its context for as long as it takes.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }, (asked, answer) => {
    pass(asked, answer).catch((error: Error) => reply(answer, toFailure(error)));
  });
  server.on('upgrade', (asked: IncomingMessage, client: Duplex, head: Buffer) => {
    client.on('error', () => client.destroy());
    upgrade(asked, client, head).catch((error: Error) => client.end(toBytes(toFailure(error))));
  });
  return server;
}

interface Answered {
  status: number;
  body: string;
}

class BadRequest extends Error {}

const failure = ({ status, message }: Failure): Answered => ({ status, body: JSON.stringify({ message }) });
/** The client treats 502 as an engine that is down. */
const unreachable = (error: Error) =>
  failure({ status: 502, message: `The engine proxy cannot reach Docker: ${error.message}` });
const toFailure = (error: Error) =>
  error instanceof BadRequest ? failure({ status: 400, message: error.message }) : unreachable(error);

function reply(answer: ServerResponse, { status, body }: Answered): void {
  if (answer.headersSent) return void answer.destroy();
  answer.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

function toBytes({ status, body }: Answered): string {
  const lines = [`HTTP/1.1 ${status} Refused`, 'Content-Type: application/json', 'Connection: close'];
  return [...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequest('The body is not JSON.');
  }
}

async function readBody(asked: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of asked as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES) throw new BadRequest(`The body is longer than ${BODY_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads that many bytes, and leaves the rest in the stream. */
async function readExactly(stream: Duplex, head: Buffer, length: number): Promise<Buffer> {
  if (!(length <= BODY_BYTES)) throw new BadRequest(`The body is longer than ${BODY_BYTES} bytes.`);
  let read = head;
  while (read.length < length) {
    const chunk: Buffer | null = stream.read();
    if (chunk) read = Buffer.concat([read, chunk]);
    else await readable(stream);
  }
  if (read.length > length) stream.unshift(read.subarray(length));
  return read.subarray(0, length);
}

const readable = (stream: Duplex) =>
  new Promise<void>((resolve, reject) => {
    const done = (error?: Error) => {
      stream.off('readable', ready);
      stream.off('close', closed);
      if (error) reject(error);
      else resolve();
    };
    const ready = () => (stream.readableEnded ? closed() : done());
    const closed = () => done(new BadRequest('The connection ended within the body.'));
    stream.on('readable', ready);
    stream.on('close', closed);
  });
