import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openCell } from '../store/cell.ts';
import { answered, consume, createCommand, PATIENCE } from './consumer.ts';

/** All that a key holds, as text. */
async function everythingIn({ redis }: ReturnType<typeof openCell>, key: string): Promise<string> {
  const type = await redis.type(key);
  if (type === 'stream') return JSON.stringify(await redis.xrange(key, '-', '+'));
  if (type === 'hash') return JSON.stringify(await redis.hgetall(key));
  if (type === 'zset') return JSON.stringify(await redis.zrange(key, '0', '-1'));
  return (await redis.get(key)) ?? '';
}

test('the same request twice is one worker and the same answer, also after a restart', async () => {
  const cell = openCell();
  const first = await consume(cell);
  const command = createCommand();
  await cell.push(command);
  await cell.push(command);
  await answered(cell, 2);
  await first.stop();
  cell.blocking.connect().catch(() => undefined);
  await consume(cell);
  await cell.push(command);
  const answers = await answered(cell, 3);
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await cell.store.ids()).toEqual([answers[0]?.worker_id]);
});

test('an answer that cannot be written to its own stream is written to the common one', async () => {
  const cell = openCell();
  const reply_to = `worker:responses:${randomUUID()}`;
  await cell.redis.lpush(reply_to, 'a list, because that is what BLPOP reads');
  onTestFinished(() => void cell.redis.del(reply_to));
  await consume(cell);
  const command = createCommand({ reply_to });
  await cell.push(command);
  expect(await answered(cell, 1)).toMatchObject([{ request_id: command.request_id, success: true }]);
  expect(await cell.store.ids()).toHaveLength(1);
  expect(await cell.redis.llen(reply_to)).toBe(1);
});

test('an answer on a stream of its own expires', async () => {
  const cell = openCell();
  const reply_to = `worker:responses:${randomUUID()}`;
  onTestFinished(() => void cell.redis.del(reply_to));
  await consume(cell);
  await cell.push(createCommand({ reply_to }));
  await vi.waitFor(async () => expect(await cell.read(reply_to)).toHaveLength(1), PATIENCE);
  expect(await cell.redis.pttl(reply_to)).toBeGreaterThan(3_600_000);
  expect(await cell.answers()).toEqual([]);
});

test('a credential that was put into env is refused, and stays nowhere in Redis', async () => {
  const cell = openCell();
  await consume(cell);
  const secret = `sk-ant-${randomUUID()}`;
  const env = { ANTHROPIC_API_KEY: secret };
  const { command_line: _, ...rest } = createCommand({ agent_type: 'CLAUDE', env });
  await cell.push(rest);
  await cell.push(`{"command": "create", "env": {"ANTHROPIC_API_KEY": "${secret}"`);
  const answers = await answered(cell, 2);
  expect(answers.map(({ success }) => success)).toEqual([false, false]);
  const texts = new Map<string, string>();
  for await (const keys of cell.redis.scanStream({ match: `${cell.name}:*`, count: 1000 }))
    for (const key of keys as string[]) texts.set(key, await everythingIn(cell, key));
  for (const [key, text] of texts) expect(text, key).not.toContain(secret);
  expect(texts.get(cell.store.keys.dead)).toContain('is not JSON');
});

test('answers are kept within a budget: the oldest are deleted first', async () => {
  const cell = openCell();
  const { redis, store } = cell;
  await consume(cell);
  const [first, second, third] = [createCommand(), createCommand(), createCommand()];
  const remembered = async () =>
    Promise.all([first, second, third].map(({ request_id }) => redis.exists(store.keys.request(request_id))));
  await cell.push(first);
  await answered(cell, 1);
  // As if the answers of a busy day were counted.
  await redis.incrby(store.keys.answeredBytes, 67_108_864);
  await cell.push(second);
  await answered(cell, 2);
  expect(await remembered()).toEqual([0, 1, 0]);
  // What only counts may be lost, or be something else.
  await redis.del(store.keys.answeredBytes, store.keys.answered);
  await redis.lpush(store.keys.answered, 'x');
  await cell.push(third);
  await answered(cell, 3);
  expect(await remembered()).toEqual([0, 1, 1]);
  expect(Number(await redis.get(store.keys.answeredBytes))).toBeLessThan(2000);
  expect(await redis.xlen(store.keys.answered)).toBe(1);
});

test('the pages of a list lack and repeat no worker, even if the worker of the cursor is gone', async () => {
  const cell = openCell();
  const epoch = await cell.acquire();
  await consume(cell, epoch);
  for (let n = 0; n < 5; n += 1) await cell.push(createCommand());
  await answered(cell, 5);
  const ids = await cell.store.ids();
  // Created in one instant, as the workers of a pool.
  for (const id of ids) await cell.redis.zadd(cell.store.keys.workers, 1000, id);
  const sorted = [...ids].sort();
  const page = async (cursor: unknown, count: number) => {
    await cell.push({ command: 'list', request_id: randomUUID(), limit: 2, ...(cursor ? { cursor } : {}) });
    const answer = (await answered(cell, count)).at(-1) as { workers: { worker_id: string }[] };
    return {
      next: (answer as { next_cursor?: string }).next_cursor,
      ids: answer.workers.map((one) => one.worker_id),
    };
  };
  const first = await page(undefined, 6);
  expect(first.ids).toEqual(sorted.slice(0, 2));
  const [, last = ''] = first.ids;
  const gone = await cell.store.load(last);
  if (gone) await cell.store.purge(epoch, gone.record);
  const second = await page(first.next, 7);
  const third = await page(second.next, 8);
  expect([...second.ids, ...third.ids].sort()).toEqual(sorted.slice(2));
  expect(third.next).toBeUndefined();
});
