import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { newCell, startManager } from '../support/manager.ts';
import { startRedis } from '../support/redis.ts';
import { openWorld, PATIENCE } from './world.ts';

test('a manager that lost its lease in a Redis outage leads again afterwards, and its workers survive', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const world = await openWorld('process', { url: redis.url, bodyUrl: redis.bodyUrl });
  const manager = await world.start();
  const worker = randomUUID();
  await world.create(worker);
  await world.reach(worker, { status: 'RUNNING' });
  const before = await world.bodies();

  await redis.kill();
  // Long enough that it is between two connection attempts when it has to stop leading.
  await vi.waitFor(() => expect(manager.log()).toContain('"standby"'), PATIENCE);
  await redis.start();
  const later = randomUUID();
  await vi.waitFor(() => world.create(later), PATIENCE);
  await world.reach(later, { status: 'RUNNING' });
  expect(await world.bodies()).toEqual(expect.arrayContaining(before));
  await world.reach(worker, { status: 'RUNNING', incarnation: 1, restarts: 0 });
});

test('a manager without its Redis keeps reporting that, with the reason', async () => {
  const home = await mkdtemp(join(tmpdir(), 'wm-nowhere-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const manager = await startManager({
    ...{ redisUrl: 'redis://127.0.0.1:1', cell: newCell(), home, env: { RUNTIME: 'process' } },
  });
  onTestFinished(async () => void (await manager.stop()));
  await vi.waitFor(
    () => expect(manager.log()).toMatch(/ECONNREFUSED 127\.0\.0\.1:1.*"Redis connection lost"/),
    PATIENCE,
  );
  // The first lease requests time out within a second, without the reason.
  const why = async () => {
    const { checks } = (await (await fetch(`${manager.url}/readyz`)).json()) as { checks: { redis: object } };
    return checks.redis;
  };
  const until = performance.now() + 3000;
  while (performance.now() < until)
    expect(await why()).toMatchObject({ ok: false, message: expect.stringContaining('ECONNREFUSED') });
});
