import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startRedis } from '../support/redis.ts';
import { openWorld, PATIENCE } from './world.ts';

test('a manager that lost its lease while Redis was away leads again when it is back, and its workers lived on', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const world = await openWorld('process', { url: redis.url, bodyUrl: redis.bodyUrl });
  const manager = await world.start();
  const worker = randomUUID();
  await world.create(worker);
  await world.reach(worker, { status: 'RUNNING' });
  const before = await world.bodies();

  await redis.kill();
  // Long enough that it is between two tries to connect when it has to stand back.
  await vi.waitFor(() => expect(manager.log()).toContain('standing by'), PATIENCE);
  await redis.start();
  const later = randomUUID();
  await vi.waitFor(() => world.create(later), PATIENCE);
  await world.reach(later, { status: 'RUNNING' });
  expect(await world.bodies()).toEqual(expect.arrayContaining(before));
  await world.reach(worker, { status: 'RUNNING', incarnation: 1, restarts: 0 });
});
