import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { idsAfter } from '../../src/store/workers/summaries.ts';
import { openCell } from './cell.ts';

test('a page lacks no worker if earlier ones are deleted while it is read', async () => {
  const { redis, store } = openCell();
  const key = store.keys.workers;
  const ids = Array.from({ length: 400 }, () => randomUUID());
  // Three workers of each instant.
  const scores = ids.map((id, at) => ({ id, at: 1000 + Math.floor(at / 3) }));
  for (const { id, at } of scores) await redis.zadd(key, at, id);
  const sorted = scores.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const [earlier, later] = [sorted.slice(0, 200), sorted.slice(200)];
  const last = earlier.at(-1);
  let cursor: string | undefined = `${last?.at}-${last?.id}`;
  const found: string[] = [];
  const deleting = (async () => {
    for (const { id } of earlier) await redis.zrem(key, id);
  })();
  while (cursor !== undefined) {
    const page: Awaited<ReturnType<typeof idsAfter>> = await idsAfter(redis, key, 2, cursor);
    found.push(...page.ids);
    cursor = page.next_cursor;
  }
  await deleting;
  expect(found).toEqual(later.map(({ id }) => id));
});
