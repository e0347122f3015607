/** Under which names a server answers: a page of a rebound name ran a command by `POST /task/submit` and deleted a pool. */
import { request } from 'node:http';
import { hostname } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { hostPolicy, isLoopback, isOurHost } from '../../../src/http/access/hosts.ts';
import { listen } from '../../../src/http/listener/listen.ts';
import { jsonResponse } from '../../../src/http/route.ts';

const loopback = hostPolicy('127.0.0.1', ['manager.example.com', '.internal.example.com', 'Worker-1']);
const beyond = hostPolicy('0.0.0.0');

test.each([
  '127.0.0.1',
  '127.0.0.1:8080',
  '[::1]:8080',
  '[::1]',
  '10.0.0.7:5001',
  'localhost',
  'LOCALHOST:8080',
  'localhost.',
  'app.localhost:1',
  hostname(),
  `${hostname()}:5000`.toUpperCase(),
  'manager.example.com',
  'Manager.Example.com.:80',
  'a.internal.example.com',
  'worker-1:5001',
])('%s is answered on loopback', (host) => {
  expect(isOurHost(host, loopback)).toBe(true);
});

test.each([
  'evil.example',
  'evil.example:8080',
  '127.0.0.1.evil.example',
  'localhost.evil.example',
  'evillocalhost',
  'internal.example.com',
  'evilinternal.example.com',
  'example.com',
  'manager.example.com.evil.example',
  'worker1',
  'router',
  '[evil.example]',
  '[127.0.0.1]',
  '127.0.0.1@evil.example',
  'a b',
  '..',
  '.localhost:x',
  ':80',
])('%s is refused on loopback', (host) => {
  expect(isOurHost(host, loopback)).toBe(false);
});

// The services of a compose file are asked by their names.
test.each(['worker1:5001', 'worker_2', 'f3a9c04b11de:5000', '172.18.0.3:5000'])(
  '%s is answered beyond loopback',
  (host) => {
    expect(isOurHost(host, beyond)).toBe(true);
  },
);

test.each(['evil.example', 'worker1.evil.example:5001'])('%s is refused beyond loopback', (host) => {
  expect(isOurHost(host, beyond)).toBe(false);
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['localhost', true],
  ['LocalHost.', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.1.7', false],
  ['127.evil.example', false],
  ['manager', false],
] as [string, boolean][])('%s is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test.each(['GET', 'POST', 'DELETE'])(
  '%s of a page whose name was made to point here is refused',
  async (method) => {
    const done: string[] = [];
    const routes = (['GET', 'POST', 'DELETE'] as const).map((one) => ({
      method: one,
      path: '/pools',
      open: true,
      handle: () => jsonResponse(200, { done: done.push(one) }),
    }));
    const names = { host: 'HTTP_HOST', port: 'HTTP_PORT' };
    const server = await listen({ host: '127.0.0.1', port: 0, names, routes, log: { error: () => {} } });
    onTestFinished(() => server.close());
    const ask = (host: string) =>
      new Promise<[number | undefined, string]>((resolve, reject) => {
        // As a browser sends it: the origin is that of the page, and so is the host.
        const headers = { host, origin: `http://${host}`, 'content-length': 0 };
        const clientRequest = request(`${server.url}/pools`, { method, headers, agent: false }, (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (part: string) => {
            text += part;
          });
          answer.on('end', () => resolve([answer.statusCode, text]));
        });
        clientRequest.on('error', reject).end();
      });
    const [status, text] = await ask(`evil.example:${server.port}`);
    expect([status, done]).toEqual([421, []]);
    expect(JSON.parse(text).error.message).toMatch(/"evil.example:\d+".*HTTP_ALLOWED_HOSTS/);
    expect((await ask(`localhost:${server.port}`))[0]).toBe(200);
    expect(done).toEqual([method]);
  },
);
