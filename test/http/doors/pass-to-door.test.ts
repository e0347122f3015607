/** Requests for bodies on their way through both servers of a manager, to a door that is a plain HTTP server. */
import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { buffer, json, text } from 'node:stream/consumers';
import { afterEach, expect, test, vi } from 'vitest';
import { listenApi } from '../../../src/http/api.ts';
import { keepFilePath } from '../../../src/http/doors/door-paths.ts';
import type { DoorCall, DoorService } from '../../../src/http/doors/door-service.ts';
import { passToDoor, passUpgradeToDoor, withRawBodies } from '../../../src/http/doors/pass-to-door.ts';
import { createRequestForwarder, createUpgradeForwarder } from '../../../src/http/listener/forward.ts';
import { listen } from '../../../src/http/listener/listen.ts';
import { newApiSocket } from '../../../src/watchdog/api-socket.ts';
import { PATIENCE } from '../../support/patience.ts';

const MIB = 1024 ** 2;
const TOKEN = 'let-me-in';
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A door that returns what it gets, and records how its requests end. */
async function openDoor() {
  const closed: string[] = [];
  const server = createServer((request, response) => {
    response.on('close', () => closed.push(`${request.method} ${request.url}`));
    response.writeHead(200, { 'x-seen': JSON.stringify(request.headers) });
    response.flushHeaders();
    if (request.url === '/hang') return;
    if (request.url === '/cut') setTimeout(() => request.socket.destroy(), 20);
    else request.pipe(response);
  });
  server.on('upgrade', (request, socket) => {
    const protocol = request.headers['sec-websocket-protocol'];
    socket.on('close', () => closed.push('upgrade'));
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n');
    socket.write(`${protocol}:${request.headers.authorization}:`);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const send = (call: DoorCall) => ask({ port, ...call } as never);
  const service: DoorService = {
    request: async (_id, call) => {
      const request = send(call);
      if (call.body && typeof call.body === 'object' && 'pipe' in call.body) call.body.pipe(request);
      else request.end(call.body);
      const [response] = await once(request, 'response');
      return response;
    },
    upgrade: async (_id, call) => {
      const request = send(call);
      request.end();
      const [response, socket, head] = await once(request, 'upgrade');
      return { response, socket, head };
    },
  };
  return { service, closed };
}

async function serve() {
  const { service, closed } = await openDoor();
  const socketPath = newApiSocket();
  const log = { error: () => {}, info: () => {}, debug: () => {} };
  const app = await listenApi(socketPath, {
    host: '127.0.0.1',
    token: TOKEN,
    version: '0',
    log,
    plugins: [
      withRawBodies(async (routes) => {
        routes.route({
          method: ['GET', 'POST'],
          url: '/v1/workers/:worker_id/exec/*',
          handler: (request, reply) => {
            const { '*': rest } = request.params as { '*': string };
            return passToDoor(service, request, reply, { worker_id: 'w', kind: 'exec', path: `/${rest}` });
          },
        });
      }),
    ],
    upgrades: [
      {
        path: '/v1/workers/:worker_id/pty',
        handle: (call) => passUpgradeToDoor(service, call, { worker_id: 'w', kind: 'pty', path: '/pty' }),
      },
    ],
  });
  closing.push(() => app.close());
  const options = { socketPath, quietMs: () => 0, unreadMs: 600 };
  const front = await listen({
    host: '127.0.0.1',
    port: 0,
    names: { host: 'HTTP_HOST', port: 'HTTP_PORT' },
    log: { error: () => {} },
    token: TOKEN,
    routes: [],
    forward: createRequestForwarder(options),
    forwardUpgrade: createUpgradeForwarder(options),
  });
  closing.push(() => front.close());
  return { url: new URL(front.url), closed };
}

const authorization = `Bearer ${TOKEN}`;

test('a body of any size passes both ways, without what is meant for the manager', async () => {
  const { url } = await serve();
  const sent = Buffer.alloc(48 * MIB, 'x');
  const request = ask(new URL('/v1/workers/w/exec/echo', url), {
    method: 'POST',
    headers: { authorization },
  });
  request.end(sent);
  const [response] = await once(request, 'response');
  expect((await buffer(response)).length).toBe(sent.length);
  const seen = JSON.parse(response.headers['x-seen']);
  expect(seen.authorization).toBeUndefined();
  expect(response.headers['x-request-id']).toMatch(/\S/);
});

test('nothing of a body is read without the token', async () => {
  const { url, closed } = await serve();
  const socket = connect(Number(url.port), url.hostname);
  socket.write(
    `POST /v1/workers/w/exec/echo HTTP/1.1\r\nhost: ${url.host}\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  socket.on('error', () => {});
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 401 /);
  expect(closed).toEqual([]);
});

test('a client that disconnects ends the request in the body, and a cut answer is cut', async () => {
  const { url, closed } = await serve();
  const stop = new AbortController();
  const hanging = await fetch(new URL('/v1/workers/w/exec/hang', url), {
    headers: { authorization },
    signal: stop.signal,
  });
  expect(hanging.status).toBe(200);
  stop.abort();
  await vi.waitFor(() => expect(closed).toContain('GET /hang'), PATIENCE);
  const cut = await fetch(new URL('/v1/workers/w/exec/cut', url), { headers: { authorization } });
  await expect(cut.text()).rejects.toThrow();
});

test('a client that stops reading is ended, and one that only waits is not', async () => {
  const { url, closed } = await serve();
  const waiting = await fetch(new URL('/v1/workers/w/exec/hang', url), { headers: { authorization } });
  const socket = connect(Number(url.port), url.hostname);
  socket.on('error', () => {});
  socket.write(
    `POST /v1/workers/w/exec/echo HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: ${authorization}\r\ncontent-length: ${512 * MIB}\r\n\r\n`,
  );
  const part = Buffer.alloc(MIB);
  const more = () => {
    while (!socket.destroyed && socket.write(part));
  };
  socket.on('drain', more);
  more();
  await vi.waitFor(() => expect(closed).toContain('POST /echo'), { timeout: 15_000 });
  expect(closed).not.toContain('GET /hang');
  socket.destroy();
  await waiting.body?.cancel();
});

const upgrade = (url: URL, headers: Record<string, string>) => {
  const request = ask(new URL('/v1/workers/w/pty', url), {
    headers: { connection: 'Upgrade', upgrade: 'websocket', ...headers },
  });
  request.end();
  return request;
};

test('an upgrade is passed on, with the token as a subprotocol that the body does not see', async () => {
  const { url, closed } = await serve();
  const inProtocol = `base64url.bearer.authorization.worker-manager.${Buffer.from(TOKEN).toString('base64url')}`;
  const request = upgrade(url, {
    'sec-websocket-protocol': `${inProtocol}, pty.v1`,
    origin: `http://${url.host}`,
  });
  const [response, socket, head] = await once(request, 'upgrade');
  expect(response.statusCode).toBe(101);
  socket.unshift(head);
  socket.end('hello');
  expect(await text(socket)).toBe('pty.v1:undefined:hello');
  await vi.waitFor(() => expect(closed).toContain('upgrade'), PATIENCE);
});

test.each([
  ['no token', {}, 401],
  ['a wrong token', { 'sec-websocket-protocol': 'base64url.bearer.authorization.worker-manager.eA' }, 401],
  ['another site', { authorization, origin: 'https://evil.example' }, 403],
  ['another host name', { authorization, host: 'evil.example' }, 421],
])('an upgrade with %s is refused', async (_what, headers, status) => {
  const { url, closed } = await serve();
  const [response] = await once(upgrade(url, headers), 'response');
  expect(response.statusCode).toBe(status);
  expect(await json(response)).toHaveProperty('error.message');
  expect(closed).toEqual([]);
});

test('the path of a file passes the router as it was sent', () => {
  for (const path of ['a%20b', '%ff%0a', 'a%2Fb', '100%25', '%', ''])
    for (const kind of ['files', 'archive', 'watch']) {
      const url = keepFilePath(`/v1/workers/w/${kind}/${path}?list&cursor=%ff`);
      const [, sent = ''] = /^\/v1\/workers\/w\/\w+\/(.*)\?list&cursor=%ff$/.exec(url) ?? [];
      expect(decodeURIComponent(sent)).toBe(path);
    }
  expect(keepFilePath('/v1/workers/%41/exec?a=%ff')).toBe('/v1/workers/%41/exec?a=%ff');
});
