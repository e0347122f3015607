/** What the store returns about claims if a part of it is lost. */
import { expect, test } from 'vitest';
import { RedisClaimStore } from '../../../src/store/index.ts';
import { openCell } from '../../store/cell.ts';

const WARM = '00000000-0000-4000-8000-00000000000a';
const ME = '00000000-0000-4000-8000-00000000000b';
const TAKEOVER = { worker_id: ME, made_for: WARM, body_id: 'body', at: 1, told: true };
const SERVING = JSON.stringify({ worker_id: ME, at: 1, spec: {} });

test('a worker that has started in a body has started, even if its heartbeat is lost', async () => {
  const { name, redis, store } = openCell();
  const claimStore = new RedisClaimStore(redis, name);
  await redis.hset(store.keys.bodies, ME, JSON.stringify(TAKEOVER));
  expect(await claimStore.get(ME)).toMatchObject({ begun: false });
  expect(await claimStore.all()).toMatchObject([{ begun: false, known: false }]);
  await redis.set(store.keys.claimRecord(WARM), SERVING);
  expect(await claimStore.get(ME)).toMatchObject({ begun: true });
  expect(await claimStore.all()).toMatchObject([{ begun: true, known: false }]);
  await redis.set(store.keys.claimRecord(WARM), SERVING.replace(ME, WARM));
  expect(await claimStore.get(ME)).toMatchObject({ begun: false });
});

test('the claim of a worker that was deleted meanwhile is not written again', async () => {
  const { name, redis, store } = openCell();
  const claimStore = new RedisClaimStore(redis, name);
  // Nothing is known of it: the store has lost everything.
  await claimStore.restore(TAKEOVER);
  expect(await claimStore.get(ME)).toMatchObject(TAKEOVER);
  await claimStore.drop(ME);
  await redis.hset(store.keys.desired(ME), 'desired', 'deleted', 'generation', 2);
  await claimStore.restore(TAKEOVER);
  expect(await redis.exists(store.keys.bodies)).toBe(0);
});
