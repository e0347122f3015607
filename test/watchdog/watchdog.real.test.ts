import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { createHealthReport } from '../../src/http/listener/health.ts';
import { newApiSocket } from '../../src/watchdog/api-socket.ts';
import { startWatchdog, type WatchdogOptions } from '../../src/watchdog/index.ts';
import { openCell } from '../store/cell.ts';
import { PATIENCE } from '../support/patience.ts';
import { startRedis } from '../support/redis.ts';

const WELL = {
  redis: { ok: true, message: 'answers' },
  runtimes: { process: { ok: true, message: '' } },
  leading: true,
  heldBack: 0,
  loopQuietSeconds: 0,
  loopStuckSeconds: 60,
};

async function watched(more: Partial<WatchdogOptions> = {}) {
  const cell = openCell();
  const reported = { acquired: [] as number[], lost: [] as string[] };
  const watchdog = await startWatchdog({
    redisUrl: inject('redisUrl'),
    cell: cell.name,
    owner: randomUUID(),
    leaseMs: 60_000,
    host: '127.0.0.1',
    port: 0,
    allowedHosts: [],
    token: undefined,
    apiSocket: newApiSocket(),
    health: () => createHealthReport(WELL),
    metrics: { text: async () => 'worker_manager_redis_up 1\n', contentType: 'text/plain' },
    onAcquired: (epoch) => reported.acquired.push(epoch),
    onLost: (reason) => reported.lost.push(reason),
    onLink: () => {},
    log: { error: () => {} },
    ...more,
  });
  onTestFinished(() => watchdog.close());
  const holder = () => cell.redis.get(cell.store.keys.leader);
  return { watchdog, cell, holder, ...reported };
}
const acquired = (epochs: number[], count = 1) =>
  vi.waitFor(() => expect(epochs).toHaveLength(count), { timeout: 20_000 });

test('a main loop that is hung loses its lease at once in its own eyes, and leads again when it moves', async () => {
  const { watchdog, holder, ...reported } = await watched({ hangMs: 1500, leaseMs: 18_000 });
  watchdog.lease.start();
  await acquired(reported.acquired);
  const before = await holder();
  expect(watchdog.lease.held()).toBe(true);
  // The lease is given up when it is next renewed, after a third of its life, and would allow acts for two thirds of it.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 8500);
  // No message of the loss has been read yet.
  expect(reported.lost).toEqual([]);
  expect(watchdog.lease.held()).toBe(false);
  await vi.waitFor(
    () => expect(reported.lost).toEqual([expect.stringMatching(/main loop has been blocked for/)]),
    PATIENCE,
  );
  await acquired(reported.acquired, 2);
  expect(watchdog.lease.held()).toBe(true);
  expect(await holder()).not.toBe(before);
});

test('a lease that is released is free at once', async () => {
  const { watchdog, holder, ...reported } = await watched();
  watchdog.lease.start();
  await acquired(reported.acquired);
  expect(await holder()).toMatch(new RegExp(` ${reported.acquired[0]}$`));
  await watchdog.lease.release();
  expect(await holder()).toBeNull();
  expect([watchdog.lease.held(), watchdog.lease.epoch(), reported.lost]).toEqual([false, undefined, []]);
});

test('a port in use is reported with the name of its setting', async () => {
  const { watchdog } = await watched();
  const port = Number(new URL(watchdog.url).port);
  await expect(watched({ port })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('Set HTTP_PORT'),
  });
});

test('a Redis that answers pings and refuses the lease is down until it accepts it, not on and off', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  const links: string[] = [];
  const onLink = (ok: boolean, message: string) => links.push(ok ? 'up' : `down: ${message.split(' ')[0]}`);
  const { watchdog, holder: _, ...reported } = await watched({ redisUrl: server.url, leaseMs: 3000, onLink });
  watchdog.lease.start();
  await acquired(reported.acquired);
  const pings = async () =>
    Number(/cmdstat_ping:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
  await redis.replicaof('127.0.0.1', 1);
  await vi.waitFor(() => expect(links.at(-1)).toBe('down: READONLY'), PATIENCE);
  const before = await pings();
  await expect.poll(pings, { timeout: 30_000 }).toBeGreaterThan(before + 1);
  expect(links.filter((link) => link === 'up')).toHaveLength(1);
  await redis.replicaof('NO', 'ONE');
  await acquired(reported.acquired, 2);
  expect(links.at(-1)).toBe('up');
});
