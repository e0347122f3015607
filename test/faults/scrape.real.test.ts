import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startRedis } from '../support/redis.ts';
import { openWorld, PATIENCE } from './world.ts';

/** Less than Prometheus's default scrape_timeout of 10 s, and than what one call to a hung Redis takes (5 s). */
const AT_ONCE_MS = 3000;

test('a scrape while Redis hangs is answered with the last values, and then reports that Redis is down', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const world = await openWorld('process', redis);
  const manager = await world.start(undefined, { LEASE_SECONDS: '30' });
  const worker = randomUUID();
  await world.create(worker);
  await world.reach(worker, { status: 'RUNNING' });
  const scrape = async () => {
    const began = performance.now();
    const text = await (await fetch(`${manager.url}/metrics`)).text();
    return { text, ms: performance.now() - began };
  };
  const running = /^worker_manager_workers\{status="RUNNING",.*\} 1$/m;
  await vi.waitFor(async () => expect((await scrape()).text).toMatch(running), PATIENCE);

  await redis.pause();
  const first = await scrape();
  expect(first.text).toMatch(running);
  expect(first.ms).toBeLessThan(AT_ONCE_MS);
  await vi.waitFor(async () => {
    const { text, ms } = await scrape();
    expect(ms).toBeLessThan(AT_ONCE_MS);
    expect(text).toMatch(running);
    expect(text).toContain('worker_manager_redis_up 0\n');
  }, PATIENCE);
  expect((await fetch(`${manager.url}/livez`)).status).toBe(200);
  await redis.unpause();
  await vi.waitFor(
    async () => expect((await scrape()).text).toContain('worker_manager_redis_up 1\n'),
    PATIENCE,
  );
});
