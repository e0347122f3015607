import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { Budgets } from '../../src/store/index.ts';
import { INPUT_GROUP } from '../../src/store/keys.ts';
import { createCommand } from '../commands/consumer.ts';
import { openCell } from './cell.ts';

const KIB = 'x'.repeat(1024);

test('histories of long messages are bounded by bytes, and the newest lines stay', async () => {
  const { redis, store } = openCell();
  const id = randomUUID();
  const key = store.keys.events(id);
  await redis.zadd(store.keys.workers, 1, id);
  for (let n = 0; n < 40; n += 1) await redis.xadd(key, '*', 'data', `${n} ${KIB.repeat(100)}`);
  expect(await redis.memory('USAGE', key)).toBeGreaterThan(4_000_000);
  expect(await new Budgets(redis, store.keys).trim()).toEqual({ unread: [] });
  expect(await redis.memory('USAGE', key)).toBeLessThan(1_100_000);
  const [last] = await redis.xrevrange(key, '+', '-', 'COUNT', 1);
  expect(last?.[1][1]).toMatch(/^39 /);
});

test('answered prompts are dropped from a large input, and unanswered ones never are', async () => {
  const { redis, store } = openCell();
  const id = randomUUID();
  const key = store.keys.input(id);
  await redis.zadd(store.keys.workers, 1, id);
  await redis.xgroup('CREATE', key, INPUT_GROUP, '0', 'MKSTREAM');
  const add = async (n: number) => (await redis.xadd(key, '*', 'data', `${n} ${KIB.repeat(500)}`)) ?? '';
  const ids = [];
  for (let n = 0; n < 12; n += 1) ids.push(await add(n));
  await redis.xreadgroup('GROUP', INPUT_GROUP, 'w', 'COUNT', 10, 'STREAMS', key, '>');
  await redis.xack(key, INPUT_GROUP, ...ids.slice(0, 8));
  const budgets = new Budgets(redis, store.keys);
  expect(await budgets.trim()).toEqual({ unread: [] });
  expect((await redis.xrange(key, '-', '+')).map(([one]) => one)).toEqual(ids.slice(8));
  for (let n = 12; n < 20; n += 1) ids.push(await add(n));
  expect(await budgets.trim()).toEqual({ unread: [id] });
  expect((await redis.xrange(key, '-', '+')).map(([one]) => one)).toEqual(ids.slice(8));
});

test('answers of a megabyte do not fill Redis: only those that fit the budget are kept', async () => {
  const { redis, store, stream, push, acquire } = openCell();
  const epoch = await acquire();
  await stream.ensureGroup();
  for (let n = 0; n < 40; n += 1) await push(createCommand());
  const answers = { ok: JSON.stringify({ text: KIB.repeat(1024) }) };
  for (const entry of await stream.read(40, 1000))
    await stream.settle(epoch, { entry, requestId: '', replyTo: undefined, operation: 'read', answers });
  expect(await redis.xlen(store.keys.responses)).toBeLessThanOrEqual(32);
  expect(await redis.xlen(store.keys.responses)).toBeGreaterThan(20);
});
