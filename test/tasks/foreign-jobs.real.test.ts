/** Jobs that no client of ours wrote: each one is put aside with its reason, and the worker continues with the others. */
import { expect, it, vi } from 'vitest';
import { getQueueKeys } from '../../src/tasks/queue-keys.ts';
import { openWorld, POOL, soon } from './world.ts';

const SCORE = 3 * 0x100000000;
const GOOD = { name: 'task', timestamp: '1', priority: '3', opts: '{"attempts":1}', stc: '97' };
const DATA = JSON.stringify({ payload: { function: 'f' } });

/** By job ID: the fields of its hash, and the message of its failure. */
const UNREADABLE: Record<string, [Record<string, string>, RegExp]> = {
  't.no-fields': [{}, /its field opts/],
  't.no-data': [GOOD, /data is missing/],
  't.no-timestamp': [{ ...GOOD, data: DATA, timestamp: 'soon' }, /field timestamp/],
  't.no-json': [{ ...GOOD, data: '{' }, /not JSON/],
  't.no-payload': [{ ...GOOD, data: '{"a":1}' }, /payload must be/],
  't.odd-options': [{ ...GOOD, data: DATA, opts: 'null' }, /field opts/],
  't.broken-options': [{ ...GOOD, data: DATA, opts: '{' }, /field opts/],
  't.odd-parent': [{ ...GOOD, data: DATA, parent: '{' }, /field parent/],
  't.odd-attempts': [{ ...GOOD, data: DATA, atm: 'many' }, /atm must be|not a number/],
  't.odd-starts': [{ ...GOOD, data: DATA, ats: 'many' }, /not a number/],
  't.deep': [{ ...GOOD, data: `{"payload":{"prompt":${'['.repeat(9e4)}${']'.repeat(9e4)}}}` }, /deeply/],
  '17': [{ ...GOOD, data: DATA }, /its ID/],
};

it('puts unreadable jobs aside, counts them, and runs the rest', async () => {
  const { cell, redis, call, consumer, ended, queue, troubles } = openWorld();
  const { base, key } = getQueueKeys(cell, POOL);
  await redis.sadd(`${cell}:task:pools`, POOL);
  let at = 0;
  for (const [id, [fields]] of Object.entries(UNREADABLE)) {
    if (Object.keys(fields).length > 0) await redis.hset(base + id, fields);
    await redis.zadd(key('prioritized'), SCORE + at++, id);
  }
  // Not even a hash: one waits, one is due after its backoff.
  for (const id of ['t.text', 't.late-text']) await redis.set(base + id, 'text');
  await redis.zadd(key('prioritized'), SCORE + at, 't.text');
  await redis.zadd(key('delayed'), 0, 't.late-text');

  const made = consumer(async () => 'done', { concurrency: 2, lockSeconds: 2 });
  await made.start();
  const good = await Promise.all([call('a'), call('b'), call('c')]);
  for (const { task_id } of good)
    expect(await ended(task_id)).toMatchObject({ status: 'completed', result: 'done' });
  const all = Object.keys(UNREADABLE).length;
  await vi.waitFor(() => expect(made.totals().results.unreadable).toBe(all + 2), soon);
  expect(made.totals().results).toMatchObject({ completed: 3, failed: 0, lost: 0 });
  expect(troubles.filter((text) => text === 'put an unreadable task aside')).toHaveLength(all + 2);

  const views = await queue.list({ status: 'failed' });
  const byId = new Map(views.map((view) => [view.task_id, view]));
  for (const [id, [, reason]] of Object.entries(UNREADABLE))
    expect(byId.get(id.replace('t.', '')), id).toMatchObject({
      status: 'failed',
      error: { type: 'Unreadable', message: expect.stringMatching(reason) },
    });
  expect(await redis.llen(key('active'))).toBe(0);
  expect(await redis.keys(`${base}*:lock`)).toEqual([]);
});

it('keeps running tasks if a key of one is overwritten', async () => {
  const { cell, redis, call, consumer, ended, until } = openWorld();
  const { base } = getQueueKeys(cell, POOL);
  const release = Promise.withResolvers<void>();
  const made = consumer(async () => release.promise.then(() => 'done'), { concurrency: 2, lockSeconds: 1 });
  await made.start();
  const ids = await Promise.all(['a', 'b'].map(async (name) => (await call(name)).task_id));
  for (const id of ids) await until(id, ({ status }) => status === 'running');
  await redis.set(`${base}t.${ids[0]}`, 'text');
  // Its own lock is renewed beside that of the other, which one script does for both.
  const lock = `${base}t.${ids[1]}:lock`;
  const before = await redis.pttl(lock);
  await vi.waitFor(async () => expect(await redis.pttl(lock)).toBeLessThan(before - 100), soon);
  await vi.waitFor(async () => expect(await redis.pttl(lock)).toBeGreaterThan(before - 100), soon);
  release.resolve();
  expect(await ended(ids[1] as string)).toMatchObject({ status: 'completed', attempts: 1 });
});
