import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { HEARTBEAT_BYTES, readHeartbeat } from '../../src/model/index.ts';
import { openCell } from './cell.ts';

test('an invalid heartbeat key does not prevent reading the others', async () => {
  const { store, redis } = openCell();
  const [none, long, list, good] = Array.from({ length: 4 }, () => randomUUID()) as [string, ...string[]];
  const at = new Date().toISOString();
  const beat = { incarnation: 1, phase: 'ready', at, active_at: at, busy: false, seq: 1 };
  // A heartbeat of 512 MB would be loaded completely; a list would fail the read of all.
  await redis.set(store.keys.heartbeat(String(long)), 'x'.repeat(HEARTBEAT_BYTES + 1));
  await redis.lpush(store.keys.heartbeat(String(list)), 'x');
  await redis.set(store.keys.heartbeat(String(good)), JSON.stringify(beat));
  const found = await store.heartbeats([none, String(long), String(list), String(good)]);
  expect(found.map((text) => readHeartbeat(text)?.heartbeat)).toEqual([
    undefined,
    undefined,
    undefined,
    beat,
  ]);
  expect(found.map((text) => text?.slice(0, 10))).toEqual([
    undefined,
    'not a text',
    'not a text',
    '{"incarnat',
  ]);
  // A worker whose heartbeat has another type can still be read, and so deleted.
  await redis.hset(store.keys.desired(String(list)), 'spec', '{"agent_type":"CLAUDE","runtime":"process"}');
  const loaded = await store.load(String(list));
  expect([loaded?.record.id, loaded?.heartbeat]).toEqual([list, undefined]);
});
