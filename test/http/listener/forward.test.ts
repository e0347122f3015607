/** The watchdog's way to the API: another server of the same process, on a socket of its own. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { createRequestForwarder, type StreamSender } from '../../../src/http/listener/forward.ts';
import { type HttpServer, listen } from '../../../src/http/listener/listen.ts';
import { ORDER_TYPE } from '../../../src/http/listener/stream-order.ts';
import { jsonResponse, type Route } from '../../../src/http/route.ts';
import { sendEvents } from '../../../src/http/streams/event-stream.ts';
import { newApiSocket } from '../../../src/watchdog/api-socket.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

interface More {
  token?: string;
  /** What the front knows of it. */
  frontToken?: string;
  quietMs?: number;
}

async function serve(routes: Route[], { token, frontToken, quietMs = 0 }: More = {}) {
  const socketPath = newApiSocket();
  const names = { host: 'HTTP_HOST', port: 'HTTP_PORT' };
  const common = { host: '127.0.0.1', port: 0, names, log: { error: () => {} } };
  servers.push(await listen({ ...common, socketPath, routes, token }));
  const front = await listen({
    ...common,
    token: frontToken,
    forward: createRequestForwarder({ socketPath, quietMs: () => quietMs }),
    routes: [{ method: 'GET', path: '/livez', open: true, handle: () => jsonResponse(200, 'alive') }],
  });
  servers.push(front);
  return front.url;
}
const echo: Route = {
  method: 'POST',
  path: '/echo/:name',
  handle: async (asked) => ({
    ...jsonResponse(201, { name: asked.params.name, q: asked.query.get('q'), is: await asked.json() }),
    headers: { 'x-more': String(asked.headers['x-given']) },
  }),
};

test('what is not its own is passed on whole, and so is the answer', async () => {
  const url = await serve([echo]);
  const body = JSON.stringify(['x'.repeat(1024 ** 2 - 100)]);
  const response = await fetch(`${url}/echo/a%2Fb?q=1`, {
    method: 'POST',
    body,
    headers: { 'x-given': 'yes' },
  });
  expect([response.status, response.headers.get('x-more')]).toEqual([201, 'yes']);
  expect(await response.json()).toEqual({ name: 'a/b', q: '1', is: JSON.parse(body) });
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  expect((await fetch(`${url}/nothing`)).status).toBe(404);
  const head = await fetch(`${url}/echo/x`, { method: 'HEAD' });
  expect([head.status, head.headers.get('allow')]).toEqual([405, 'POST']);
});

test('a refusal that comes before a large body was read arrives', async () => {
  const url = await serve([echo], { token: 'let-me-in' });
  const post = () => fetch(`${url}/echo/x`, { method: 'POST', body: 'x'.repeat(1024 ** 2) });
  const responses = await Promise.all(Array.from({ length: 20 }, post));
  expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 401));
});

test('a body without a valid token is rejected before it is sent', async () => {
  const token = 'let-me-in';
  const url = await serve([echo], { token, frontToken: token });
  const { host, hostname, port } = new URL(url);
  for (const how of ['content-length: 1000000', 'transfer-encoding: chunked']) {
    const socket = connect(Number(port), hostname);
    socket.write(`POST /echo/x HTTP/1.1\r\nhost: ${host}\r\n${how}\r\n\r\n`);
    const [chunk] = await once(socket, 'data');
    expect(String(chunk)).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
  }
  const headers = { authorization: `Bearer ${token}` };
  expect((await fetch(`${url}/echo/x`, { method: 'POST', body: '{}', headers })).status).toBe(201);
});

test('a body that is too long does not get through', async () => {
  const asked = vi.fn();
  const url = await serve([{ method: 'POST', path: '/x', handle: asked }]);
  expect((await fetch(`${url}/x`, { method: 'POST', body: 'x'.repeat(1024 ** 2 + 1) })).status).toBe(413);
  expect(asked).not.toHaveBeenCalled();
});

test('requests above its limit are answered with a time to retry, and the probe is answered', async () => {
  const waiting: (() => void)[] = [];
  const held: Route = {
    method: 'GET',
    path: '/wait',
    handle: () => new Promise((resolve) => waiting.push(() => resolve(jsonResponse(200, {})))),
  };
  const url = await serve([held]);
  const working = Array.from({ length: 64 }, () => fetch(`${url}/wait`));
  await vi.waitFor(() => expect(waiting).toHaveLength(64), { timeout: 15_000 });
  const refused = await fetch(`${url}/wait`);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  for (const answer of waiting) answer();
  for (const response of await Promise.all(working)) expect(response.status).toBe(200);
});

test('a main loop that is busy for long is given nothing new', async () => {
  const url = await serve([echo], { quietMs: 6000 });
  const refused = await fetch(`${url}/echo/x`, { method: 'POST', body: '{}' });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await refused.text()).toContain('busy for 6 s');
});

test('a client that goes takes its request with it', async () => {
  let gone = () => {};
  const left = new Promise<void>((resolve) => {
    gone = resolve;
  });
  const url = await serve([{ method: 'GET', path: '/wait', handle: () => new Promise(() => gone()) }]);
  const controller = new AbortController();
  const asking = fetch(`${url}/wait`, { signal: controller.signal });
  await left;
  controller.abort();
  await expect(asking).rejects.toThrow();
  expect((await fetch(`${url}/livez`)).status).toBe(200);
});

test('streams are passed on as they come, and use up no place of other requests', async () => {
  const open = new Set<ServerResponse>();
  const inner = createServer((request, response) => {
    if (request.url === '/short') return void response.end('short');
    open.add(response);
    response.on('close', () => open.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: first\n\n');
  });
  const socketPath = newApiSocket();
  await new Promise<void>((resolve) => inner.listen(socketPath, resolve));
  onTestFinished(() => {
    inner.closeAllConnections();
    inner.close();
  });
  const front = await listen({
    host: '127.0.0.1',
    port: 0,
    names: { host: 'HTTP_HOST', port: 'HTTP_PORT' },
    log: { error: () => {} },
    routes: [],
    forward: createRequestForwarder({ socketPath, quietMs: () => 0, mostWaiting: 70 }),
  });
  servers.push(front);
  const end = new AbortController();
  const streams = await Promise.all(
    Array.from({ length: 70 }, () => fetch(`${front.url}/stream`, { signal: end.signal })),
  );
  const reader = streams[0]?.body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: first\n\n');
  const refused = await fetch(`${front.url}/stream`);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  expect((await fetch(`${front.url}/any?wait=ready`)).status).toBe(429);
  for (let count = 0; count < 70; count++) expect((await fetch(`${front.url}/short`)).status).toBe(200);
  end.abort();
  await vi.waitFor(() => expect(open.size).toBe(0), { timeout: 5000 });
  const again = await fetch(`${front.url}/stream`);
  expect(again.status).toBe(200);
  await again.body?.cancel();
});

test('a client that does not read a stream is disconnected, and holds a bounded part of it', async () => {
  let written = 0;
  const ended = Promise.withResolvers<void>();
  const inner = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const more = () => {
      while (response.write('x'.repeat(65_536))) written += 65_536;
    };
    response.on('drain', more);
    response.on('close', () => ended.resolve());
    more();
  });
  const socketPath = newApiSocket();
  await new Promise<void>((resolve) => inner.listen(socketPath, resolve));
  onTestFinished(() => {
    inner.closeAllConnections();
    inner.close();
  });
  const front = await listen({
    host: '127.0.0.1',
    port: 0,
    names: { host: 'HTTP_HOST', port: 'HTTP_PORT' },
    log: { error: () => {} },
    routes: [],
    forward: createRequestForwarder({ socketPath, quietMs: () => 0, unreadMs: 300 }),
  });
  servers.push(front);
  const { hostname, port, host } = new URL(front.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.pause();
  socket.write(`GET /stream HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  await ended.promise;
  socket.destroy();
  // The buffers of the kernel for both connections, and of the streams between them.
  expect(written).toBeLessThan(32 * 1024 ** 2);
});

test('an order to send a stream is carried out here, but only from the paths of streams', async () => {
  const order = { stream: { of: 'all events' }, from: '7-0', follow: true };
  const handle: Route['handle'] = () => ({ ...jsonResponse(200, order), type: ORDER_TYPE });
  const paths = ['/v1/events', '/v1/workers/:id/output', '/v1/workers/:id/ports/80/v1/events'];
  const socketPath = newApiSocket();
  const common = { host: '127.0.0.1', port: 0, names: { host: 'H', port: 'P' }, log: { error: () => {} } };
  const routes = paths.map((path): Route => ({ method: 'GET', path, handle }));
  servers.push(await listen({ ...common, socketPath, routes }));
  const orders: unknown[] = [];
  const sendStream: StreamSender = async (given, response) => {
    orders.push(given);
    await sendEvents(response, async function* () {
      yield [{ id: '8-0', data: '{"type":"stdout"}' }];
    });
  };
  const front = await listen({
    ...common,
    routes: [],
    forward: createRequestForwarder({ socketPath, quietMs: () => 0, sendStream }),
  });
  servers.push(front);
  const get = async (path: string) => {
    const response = await fetch(front.url + path);
    return [response.status, response.headers.get('content-type'), await response.text()];
  };
  const sent = [200, 'text/event-stream; charset=utf-8'];
  const text = 'retry: 1000\n\nid: 8-0\nevent: stdout\ndata: {"type":"stdout"}\n\n';
  expect(await get('/v1/events?tail=0')).toEqual([...sent, text]);
  expect(await get('/v1/workers/a/output')).toEqual([...sent, text]);
  expect(await get('/v1/workers/a/ports/80/v1/events')).toEqual([
    200,
    ORDER_TYPE,
    `${JSON.stringify(order)}\n`,
  ]);
  expect(orders).toEqual([order, order]);
});

test('a stream that fails is broken off, and its client notices', async () => {
  const socketPath = newApiSocket();
  const common = { host: '127.0.0.1', port: 0, names: { host: 'H', port: 'P' }, log: { error: () => {} } };
  const handle: Route['handle'] = () => ({ ...jsonResponse(200, {}), type: ORDER_TYPE });
  servers.push(
    await listen({ ...common, socketPath, routes: [{ method: 'GET', path: '/v1/events', handle }] }),
  );
  const sendStream: StreamSender = (_, response) =>
    sendEvents(response, async function* () {
      yield [{ id: '8-0', data: '{}' }];
      throw new Error('Redis is down.');
    });
  const forward = createRequestForwarder({ socketPath, quietMs: () => 0, sendStream });
  const front = await listen({ ...common, routes: [], forward });
  servers.push(front);
  await expect(fetch(`${front.url}/v1/events`).then((response) => response.text())).rejects.toThrow();
});
