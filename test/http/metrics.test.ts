/** What the metrics of requests have in their labels, whatever clients send. */
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { UpgradeRoute } from '../../src/http/upgrade-route.ts';
import { Fault } from '../../src/model/values/fault.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { openTestApi } from './api.ts';

const SERIES = /^worker_manager_http_requests_total\{route="(.*)",method="(.*)",status="(.*)"\} (\d+)$/gm;

async function openCounted(upgrades: UpgradeRoute[] = []) {
  const metrics = createMetrics({ processMetrics: false });
  const { app } = await openTestApi({}, { upgrades, onHandled: metrics.httpRequest });
  const ask = (method: string, url: string) => app.inject({ method: method as 'GET', url });
  const read = async () =>
    [...(await metrics.text()).matchAll(SERIES)].map(
      ([, route = '', method = '', status = '', count]) => [route, method, status, Number(count)] as const,
    );
  return { app, ask, read, metrics };
}

test('a request is counted by its route, and not by its path', async () => {
  const { ask, read, metrics } = await openCounted();
  for (let n = 0; n < 3; n += 1) await ask('GET', `/v1/workers/${randomUUID()}?wait=ready`);
  await ask('POST', '/v1/workers');
  expect(await read()).toEqual([
    ['/v1/workers/:worker_id', 'GET', expect.any(String), 3],
    ['/v1/workers', 'POST', '400', 1],
  ]);
  expect(await metrics.text()).toMatch(
    /^worker_manager_http_request_duration_seconds_count\{route="\/v1\/workers\/:worker_id"\} 3$/m,
  );
});

test('a storm of paths and methods that do not exist is one series for each method', async () => {
  const { ask, read } = await openCounted();
  const methods = ['GET', 'POST', 'PATCH', 'OPTIONS', 'PROPFIND', 'LOCK', 'TRACE', 'SEARCH', 'M-SEARCH'];
  for (let n = 0; n < 900; n += 1)
    await ask(methods[n % methods.length] ?? '', `/${randomUUID()}/${'x'.repeat(n)}`);
  for (const url of ['/%zz', '/v1/workers/%', `/v1/${'%2f'.repeat(500)}`, '/v1/workers/../../etc/passwd'])
    await ask('GET', url);
  const series = await read();
  expect(new Set(series.map(([route]) => route))).toEqual(new Set(['none']));
  expect(new Set(series.map(([, method]) => method))).toEqual(
    new Set(['GET', 'POST', 'PATCH', 'OPTIONS', 'other']),
  );
  expect(series.reduce((sum, [, , , count]) => sum + count, 0)).toBe(904);
  expect(series.length).toBeLessThan(12);
});

test('the status that a program in a worker chooses is one of those that exist', async () => {
  const { metrics, read } = await openCounted();
  for (let status = 100; status < 1000; status += 1)
    metrics.httpRequest({ route: '/v1/ports', method: 'GET', status, seconds: 0 });
  const series = await read();
  expect(series.length).toBeLessThan(70);
  expect(series.map(([, , status]) => status)).toContain('other');
});

test('a change of protocol is counted like a request, and so is one that is refused', async () => {
  const [accepted, refused] = ['/v1/workers/:worker_id/pty', '/v1/workers/:worker_id/ports/:port/*'];
  const { app, read } = await openCounted([
    {
      path: accepted,
      async handle({ socket }) {
        socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
        return 101;
      },
    },
    { path: refused, handle: () => Promise.reject(new Fault('conflict', 'The worker has ended.')) },
  ]);
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const upgrade = (path: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade: 'websocket' };
      const asked = request({ port, path, headers }).once('error', reject).end();
      for (const event of ['upgrade', 'response'])
        asked.once(event, ({ statusCode, socket }) => {
          socket.destroy();
          resolve(statusCode);
        });
    });
  expect(await upgrade('/v1/workers/one/pty')).toBe(101);
  expect(await upgrade('/v1/workers/one/ports/80/a/b')).toBe(409);
  expect(await upgrade('/v1/workers/one/nothing')).toBe(404);
  await expect.poll(read).toEqual([
    [accepted, 'GET', '101', 1],
    [refused, 'GET', '409', 1],
    ['none', 'GET', '404', 1],
  ]);
});
