import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { Fenced, redisLeaseStore } from '../../src/store/index.ts';
import { openCell } from './cell.ts';
import { identityAt } from './store-fixture.ts';

test.each([
  ['deleted or evicted', (redis, key) => redis.del(key)],
  ['replaced by a text that never expires', (redis, key) => redis.set(key, 'someone 1')],
] as [string, (redis: ReturnType<typeof openCell>['redis'], key: string) => Promise<unknown>][])(
  'a lease that was %s is not renewed, fences its holder, and is free for the next one',
  async (_, lose) => {
    const { redis, store } = openCell();
    const lease = redisLeaseStore(redis, store.keys);
    const owner = randomUUID();
    const epoch = (await lease.acquire(owner, 60_000)) ?? 0;
    expect(await lease.renew(owner, epoch, 60_000)).toBe(true);
    await lose(redis, store.keys.leader);
    expect([await lease.renew(owner, epoch, 60_000), await store.leads(epoch)]).toEqual([false, false]);
    await expect(store.identify(epoch, identityAt(Date.now()))).rejects.toThrow(Fenced);
    expect(await lease.acquire('next', 60_000)).toBeGreaterThan(epoch);
  },
);

test('a leader whose remembered epoch is lost or unreadable continues writing: no renewed lease is ever fenced', async () => {
  const { redis, store } = openCell();
  const lease = redisLeaseStore(redis, store.keys);
  const epoch = (await lease.acquire('owner', 60_000)) ?? 0;
  await redis.del(store.keys.epoch);
  await store.identify(epoch, identityAt(Date.now()));
  expect([await store.leads(epoch), await lease.renew('owner', epoch, 60_000)]).toEqual([true, true]);
  await redis.rpush(store.keys.epoch, 'not a number');
  await lease.release('owner', epoch);
  expect(await lease.acquire('owner', 60_000)).toBeGreaterThan(epoch);
});
