/** The server over a table of routes: who may ask, and what a request can do to it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type HttpServer, type ListenOptions, listen } from '../../../src/http/listener/listen.ts';
import { jsonResponse, type Route } from '../../../src/http/route.ts';
import { Fault } from '../../../src/model/index.ts';

const servers: HttpServer[] = [];
const logged: object[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  logged.length = 0;
});

async function serve(more: Partial<ListenOptions> = {}): Promise<string> {
  const server = await listen({
    host: '127.0.0.1',
    port: 0,
    names: { host: 'HTTP_HOST', port: 'HTTP_PORT' },
    routes: [
      { method: 'GET', path: '/open', open: true, handle: () => jsonResponse(200, {}) },
      {
        method: 'GET',
        path: '/things/:id',
        handle: ({ params, query }) => jsonResponse(200, { ...params, q: query.get('q') }),
      },
      { method: 'POST', path: '/things', handle: async (asked) => jsonResponse(200, await asked.json()) },
      { method: 'GET', path: '/things', handle: () => jsonResponse(200, []) },
      { method: 'GET', path: '/full', handle: () => Promise.reject(new Fault('capacity', 'No room.')) },
      { method: 'GET', path: '/broken', handle: () => Promise.reject(new Error('internal inside story')) },
    ],
    log: { error: (_, fields) => logged.push(fields) },
    ...more,
  });
  servers.push(server);
  return server.url;
}
const codeOf = async (response: Response) =>
  ((await response.json()) as { error: { code: string } }).error.code;

test('places in a path are given decoded, with the query', async () => {
  const url = await serve();
  expect(await (await fetch(`${url}/things/a%20b%2Fc?q=%26`)).json()).toEqual({ id: 'a b/c', q: '&' });
  for (const path of ['/things/', '/things/a/b', '/things/%ff']) {
    expect((await fetch(url + path)).status).toBe(404);
  }
});

test('a JSON body may begin with a byte order mark', async () => {
  const url = await serve();
  const response = await fetch(`${url}/things`, { method: 'POST', body: '\uFEFF{"a": 1}' });
  expect(await response.json()).toEqual({ a: 1 });
});

test('an unknown method of a path is rejected with those that it has', async () => {
  const response = await fetch(`${await serve()}/things`, { method: 'DELETE' });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, GET, HEAD']);
});

test('with a token, nothing but what is open is answered without it', async () => {
  const url = await serve({ token: 'let-me-in' });
  const status = async (path: string, authorization?: string) =>
    (await fetch(url + path, { headers: authorization === undefined ? {} : { authorization } })).status;
  expect(await status('/open')).toBe(200);
  expect(await status('/things')).toBe(401);
  for (const wrong of ['Bearer ', 'Bearer let-me-im', 'Bearer let-me-in-too', 'Basic let-me-in', 'let-me-in'])
    expect(await status('/things', wrong)).toBe(401);
  expect(await status('/things', 'Bearer let-me-in')).toBe(200);
});

test('a page of another site in a browser changes nothing', async () => {
  const url = await serve();
  const post = (origin?: string) =>
    fetch(`${url}/things`, { method: 'POST', body: '{}', headers: origin === undefined ? {} : { origin } });
  expect((await post('https://elsewhere.example')).status).toBe(403);
  expect((await post('null')).status).toBe(403);
  expect((await post(url)).status).toBe(200);
  expect((await post()).status).toBe(200);
});

test('a body that is not JSON, or too long, is refused', async () => {
  const url = await serve();
  const bodies: [string, number][] = [
    ['', 400],
    ['{', 400],
    ['x'.repeat(1024 ** 2 + 1), 413],
  ];
  for (const [body, status] of bodies) {
    const response = await fetch(`${url}/things`, { method: 'POST', body });
    expect([response.status, await codeOf(response)]).toEqual([status, 'invalid_command']);
  }
  expect((await fetch(`${url}/things`, { method: 'POST', body: '{"a":1}' })).status).toBe(200);
});

test('a body that is nested too deep is refused, and nothing has failed', async () => {
  const url = await serve();
  const body = `${'['.repeat(5000)}${']'.repeat(5000)}`;
  const response = await fetch(`${url}/things`, { method: 'POST', body });
  expect([response.status, await codeOf(response)]).toEqual([400, 'invalid_command']);
  expect(logged).toEqual([]);
});

test('a client that leaves in the middle of its request is not a server error', async () => {
  let broken = () => {};
  const ended = new Promise<void>((resolve) => {
    broken = resolve;
  });
  const url = await serve({
    routes: [
      {
        method: 'POST',
        path: '/slow',
        handle: (asked) =>
          asked
            .text()
            .then(() => jsonResponse(200, {}))
            .finally(broken),
      },
    ],
  });
  const { host, hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write(`POST /slow HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 100\r\n\r\nx`, () =>
    socket.destroy(),
  );
  await ended;
  expect((await fetch(`${url}/none`)).status).toBe(404);
  expect(logged).toEqual([]);
});

test('a path that is one of its own is not taken for a name', async () => {
  const routes: Route[] = [
    { method: 'POST', path: '/task/submit', handle: () => jsonResponse(200, {}) },
    { method: 'GET', path: '/task/:id', handle: ({ params }) => jsonResponse(200, params) },
  ];
  const url = await serve({ routes });
  expect((await fetch(`${url}/task/submit`)).status).toBe(405);
  expect(await (await fetch(`${url}/task/submitted`)).json()).toEqual({ id: 'submitted' });
});

test('a body that is too long is refused on a connection that lives, so that the refusal arrives', async () => {
  const { host, hostname, port } = new URL(await serve());
  const long = Buffer.alloc(17 * 1024 ** 2, 'x');
  const socket = connect(Number(port), hostname);
  const broke = once(socket, 'close').then(() => 'the connection was broken');
  socket.on('error', () => {});
  let said = '';
  socket.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  socket.write(`POST /things HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${long.length + 1}\r\n\r\n`);
  socket.write(long);
  await Promise.race([expect.poll(() => said, { timeout: 15_000 }).toMatch(/^HTTP\/1\.1 413 /), broke]);
  socket.write(`xGET /open HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  await broke;
  expect(said.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
});

test('a fault is reported as such, and anything else without its reason', async () => {
  const url = await serve();
  const full = await fetch(`${url}/full`);
  expect([full.status, full.headers.get('retry-after'), await codeOf(full)]).toEqual([429, '1', 'capacity']);
  const broken = await fetch(`${url}/broken`);
  expect(broken.status).toBe(500);
  expect(await broken.text()).not.toContain('inside story');
  expect(logged).toHaveLength(1);
});

test('an answer that cannot be sent ends its connection and nothing else', async () => {
  const url = await serve({
    routes: [
      {
        method: 'GET',
        path: '/ill',
        handle: () => ({ ...jsonResponse(200, {}), headers: { 'x-ill': 'a\nb' } }),
      },
      { method: 'GET', path: '/well', handle: () => jsonResponse(200, {}) },
    ],
  });
  await expect(fetch(`${url}/ill`)).rejects.toThrow();
  expect((await fetch(`${url}/well`)).status).toBe(200);
  expect(logged).toHaveLength(1);
});

test.each([new Error('Redis is gone'), new Fault('unavailable', 'Redis is gone')])(
  'a response that breaks off after its beginning is cut, and the reason is logged once (%#)',
  async (error) => {
    const url = await serve({
      forward: async (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        await new Promise((sent) => response.write('data: 1\n\n', sent));
        throw error;
      },
    });
    const response = await fetch(`${url}/stream`);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(logged).toEqual([{ err: error, path: '/stream' }]);
  },
);

test('a client that leaves a stream is not an error', async () => {
  const left = Promise.withResolvers<void>();
  const url = await serve({
    forward: async (_request, response) => {
      response.writeHead(200).flushHeaders();
      await once(response, 'close');
      queueMicrotask(left.resolve);
      throw new Error('The operation was aborted.');
    },
  });
  const leave = new AbortController();
  await fetch(`${url}/stream`, { signal: leave.signal });
  leave.abort();
  await left.promise;
  expect(await (await fetch(`${url}/open`)).json()).toEqual({});
  expect(logged).toEqual([]);
});
