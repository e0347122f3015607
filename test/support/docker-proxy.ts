/**
 * A Unix socket in front of the real daemon that records requests, and misbehaves on demand like engines and
 * proxies in front of them.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

/**
 * - `hang`: takes the request and does nothing.
 * - `lose-reply`: passes it on, and the answer never arrives.
 * - `cut`: passes it on, and breaks the connection in the middle of the answer.
 * - an object: answers itself, or passes on another body than was sent.
 */
export type Misbehaviour =
  | 'hang'
  | 'lose-reply'
  | 'cut'
  | { status: number; text: string }
  | { body: string };

export interface SeenRequest {
  method: string;
  url: string;
  body: string;
}

export interface DockerProxy {
  socket: string;
  /** All requests, in order. */
  seen: SeenRequest[];
  /** What to do with a request; nothing by default. */
  misbehave: (request: SeenRequest) => Misbehaviour | undefined;
  /** Breaks every connection now. */
  cutAll(): void;
  close(): Promise<void>;
}

export async function startDockerProxy(daemon: string): Promise<DockerProxy> {
  const directory = await mkdtemp(join(tmpdir(), 'wm-proxy-'));
  const connections = new Set<Socket>();
  const server = createServer((asked, answer) => {
    pass(proxy, daemon, asked, answer).catch(() => answer.destroy());
  });
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.on('error', () => undefined);
  });
  const cutAll = () => {
    for (const socket of connections) socket.destroy();
  };
  const proxy: DockerProxy = {
    socket: join(directory, 'docker.sock'),
    seen: [],
    misbehave: () => undefined,
    cutAll,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cutAll();
      await closed;
      await rm(directory, { recursive: true, force: true });
    },
  };
  // A hijacked connection is passed on as bytes, and each side may end its half first.
  server.on('upgrade', (asked: IncomingMessage, client: Socket, head: Buffer) => {
    const headers = asked.rawHeaders.flatMap((name, at) =>
      at % 2 ? [] : `${name}: ${asked.rawHeaders[at + 1]}`,
    );
    const engine = connect({ path: daemon.replace(/^unix:\/\//, ''), allowHalfOpen: true });
    engine.on('error', () => client.destroy());
    client.on('error', () => engine.destroy());
    client.on('close', () => engine.destroy());
    engine.write(`${[`${asked.method} ${asked.url} HTTP/1.1`, ...headers].join('\r\n')}\r\n\r\n`);
    engine.write(head);
    client.pipe(engine).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(proxy.socket, resolve));
  return proxy;
}

async function pass(
  proxy: DockerProxy,
  daemon: string,
  asked: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const body = (await buffer(asked)).toString('utf8');
  const seen = { method: asked.method ?? '', url: asked.url ?? '', body };
  proxy.seen.push(seen);
  const fault = proxy.misbehave(seen);
  if (fault === 'hang') return;
  if (typeof fault === 'object' && 'status' in fault) {
    answer.writeHead(fault.status, { 'content-type': 'application/json' }).end(fault.text);
    return;
  }
  const sent = typeof fault === 'object' ? fault.body : body;
  const headers = { ...asked.headers, 'content-length': String(Buffer.byteLength(sent)) };
  const onward = request({ socketPath: daemon, method: seen.method, path: seen.url, headers }, (reply) => {
    reply.on('error', () => answer.destroy());
    if (fault === 'lose-reply') {
      reply.resume();
      return;
    }
    answer.writeHead(reply.statusCode ?? 500, reply.headers);
    answer.flushHeaders();
    if (fault === 'cut')
      reply.once('data', (chunk: Buffer) => answer.write(chunk.subarray(0, 1), () => answer.destroy()));
    else reply.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  answer.on('close', () => onward.destroy());
  onward.end(sent);
}
