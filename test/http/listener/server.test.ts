import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createHealthReport, type HealthFacts } from '../../../src/http/listener/health.ts';
import { createHttpServer, type HttpServer } from '../../../src/http/listener/server.ts';
import { Fault } from '../../../src/model/index.ts';

const up = { ok: true, message: 'answers' };
const well: HealthFacts = {
  redis: up,
  runtimes: { process: up },
  leading: true,
  heldBack: 0,
  loopQuietSeconds: 0,
  loopStuckSeconds: 60,
};
const running: HttpServer[] = [];
const logged: object[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
  logged.length = 0;
});

async function serve(facts: Partial<HealthFacts> = {}, text = async () => 'metric 1\n', port = 0) {
  const server = await createHttpServer({
    host: '127.0.0.1',
    port,
    health: () => createHealthReport({ ...well, ...facts }),
    metrics: { text, contentType: 'text/plain; version=0.0.4' },
    log: { error: (fields) => logged.push(fields) },
  });
  running.push(server);
  return server;
}

test.each<[string, Partial<HealthFacts>, Record<string, number>]>([
  ['well', {}, { '/livez': 200, '/readyz': 200, '/healthz': 200 }],
  ['standby', { leading: false }, { '/livez': 200, '/readyz': 200, '/healthz': 200 }],
  [
    'Redis away',
    { redis: { ok: false, message: 'ECONNREFUSED' } },
    { '/livez': 200, '/readyz': 503, '/healthz': 503 },
  ],
  ['loop stuck', { loopQuietSeconds: 99 }, { '/livez': 503, '/readyz': 503, '/healthz': 503 }],
])('health, %s', async (_, facts, expected) => {
  const { url } = await serve(facts);
  for (const [path, status] of Object.entries(expected)) {
    const response = await fetch(url + path);
    expect([path, response.status]).toEqual([path, status]);
    expect(response.headers.get('content-type')).toMatch('application/json');
    const body = (await response.json()) as { status: string; checks: object };
    expect(body.status).toBe(status === 200 ? 'ok' : 'failing');
    if (path !== '/livez') expect(body.checks).toEqual(createHealthReport({ ...well, ...facts }).checks);
  }
});

test('requests that are refused and not forwarded are counted, and no others', async () => {
  let refused = 0;
  const server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    token: 'secret',
    health: () => createHealthReport(well),
    metrics: { text: async () => '', contentType: 'text/plain' },
    log: { error: () => {} },
    forward: async ({ url }, response) => {
      if (url === '/busy') throw new Fault('unavailable', 'The manager has been busy for 9 s.');
      response.writeHead(404).end();
    },
    onRefused: () => {
      refused += 1;
    },
  });
  running.push(server);
  const statuses = async (...requests: [path: string, init?: RequestInit][]) =>
    Promise.all(requests.map(async ([path, init]) => (await fetch(server.url + path, init)).status));
  const authorization = 'Bearer secret';
  expect(
    await statuses(
      ['/livez'],
      ['/metrics', { method: 'POST', body: '{}' }],
      ['/v1/workers', { headers: { authorization } }],
    ),
  ).toEqual([200, 405, 404]);
  expect(refused).toBe(0);
  expect(
    await statuses(
      ['/busy', { headers: { authorization } }],
      ['/v1/workers', { method: 'POST', body: '{}' }],
    ),
  ).toEqual([503, 401]);
  expect(refused).toBe(2);
});

test('a credential in the message of a component is not passed on', async () => {
  const { url } = await serve({ redis: { ok: false, message: 'connect redis://u:hunter2@host failed' } });
  const text = await (await fetch(`${url}/readyz`)).text();
  expect(text).not.toContain('hunter2');
  expect(text).toContain('connect redis://***@host failed');
});

test('metrics, also by HEAD and with a query', async () => {
  const { url } = await serve();
  const response = await fetch(`${url}/metrics?x=1`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4');
  expect(await response.text()).toBe('metric 1\n');
  const head = await fetch(`${url}/metrics`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '9', '']);
});

test.each([
  ['GET', '/nothing', 404, 'not_found'],
  ['GET', '/', 404, 'not_found'],
  ['GET', '/__proto__', 404, 'not_found'],
  ['GET', '/livez/', 404, 'not_found'],
  ['POST', '/nothing', 404, 'not_found'],
  ['POST', '/metrics', 405, 'unsupported'],
  ['DELETE', '/livez', 405, 'unsupported'],
])('%s %s is refused with %i %s', async (method, path, status, code) => {
  const { url } = await serve();
  const response = await fetch(url + path, { method });
  expect(response.status).toBe(status);
  expect(response.headers.get('allow')).toBe(status === 405 ? 'GET, HEAD' : null);
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  expect(error.code).toBe(code);
  expect(error.message).toContain(path);
});

test('metrics that fail are a 500 without the reason, which is logged', async () => {
  const { url } = await serve({}, () => Promise.reject(new Error('internal inside story')));
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('inside story');
  expect(logged).toHaveLength(1);
  expect((await fetch(`${url}/livez`)).status).toBe(200);
});

test('a request that is not HTTP, or is cut off, does not end the server', async () => {
  const { url, port } = await serve();
  for (const bytes of ['\0\x01garbage\r\n\r\n', 'GET /livez HTTP/1.1\r\nHos']) {
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
      socket
        .resume()
        .on('error', () => {})
        .on('close', () => resolve());
    });
  }
  expect((await fetch(`${url}/livez`)).status).toBe(200);
});

test('a port that is taken is an error that names HTTP_PORT', async () => {
  const { port } = await serve();
  await expect(serve({}, undefined, port)).rejects.toMatchObject({
    code: 'unavailable',
    message: `Cannot listen on 127.0.0.1:${port}: port ${port} is used by another program. Set HTTP_PORT to a free port, or stop that program.`,
  });
});

test('an address of another machine is an error that names HTTP_HOST', async () => {
  const host = '203.0.113.1'; // TEST-NET-3, unassigned (RFC 5737)
  const options = {
    host,
    port: 0,
    health: () => createHealthReport(well),
    metrics: { text: async () => '', contentType: '' },
  };
  await expect(createHttpServer({ ...options, log: { error: () => {} } })).rejects.toThrow(/HTTP_HOST/);
});

test('close ends open connections and frees the port', async () => {
  const { port, url } = await serve();
  await (await fetch(`${url}/livez`)).text(); // leaves a connection that is kept alive
  const socket = connect(port, '127.0.0.1');
  const ended = new Promise((resolve) =>
    socket
      .on('close', resolve)
      .on('error', () => {})
      .resume(),
  );
  await new Promise((resolve) => socket.once('connect', resolve));
  await running.pop()?.close();
  await ended;
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
});
