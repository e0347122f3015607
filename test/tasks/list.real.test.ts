/** Lists of tasks, page by page, and retries. */
import { expect, it } from 'vitest';
import type { TaskQuery, TaskView } from '../../src/model/task/task.ts';
import { taskSubmission } from '../../src/model/task/task.ts';
import { getQueueKeys } from '../../src/tasks/queue-keys.ts';
import { kill, openWorld, POOL } from './world.ts';

/** Every page of a list, and the number of pages. */
async function walk({ tasks }: ReturnType<typeof openWorld>, query: TaskQuery) {
  const items: TaskView[] = [];
  let [cursor, pages]: [string | undefined, number] = [undefined, 0];
  do {
    const page = await tasks.list({ ...query, cursor });
    items.push(...page.items);
    cursor = page.next_cursor ?? undefined;
    pages += 1;
  } while (cursor !== undefined);
  return { ids: items.map(({ task_id }) => task_id), items, pages };
}

it('lists the tasks of all pools in pages, each once, although many ended at the same time', async () => {
  const world = openWorld();
  const { tasks, queue, call, redis, cell } = world;
  const other = tasks.queue('another');
  const submit = (task_id: string) =>
    other.submit(taskSubmission.parse({ task_id, payload: { function: 'a' }, priority: 'low' }));
  for (let at = 0; at < 25; at += 1) {
    await call('a', { task_id: `q${at}` });
    await submit(`o${at}`);
    await call('a', { task_id: `f${at}`, priority: 'high' });
  }
  for (let at = 0; at < 25; at += 1) await queue.cancel(`f${at}`);
  // One instant for all of them, as after a bulk cancellation.
  const { key } = getQueueKeys(cell, POOL);
  for (let at = 0; at < 25; at += 1) await redis.zadd(key('failed'), 1000, `t.f${at}`);

  const all = await walk(world, { limit: 7 });
  expect([all.ids.length, new Set(all.ids).size, all.pages]).toEqual([75, 75, 11]);
  const numbers = (letter: string) => Array.from({ length: 25 }, (_, at) => `${letter}${at}`);
  // In the order in which they are taken, then those that have ended.
  expect(all.ids.slice(0, 50)).toEqual([...numbers('q'), ...numbers('o')]);
  expect((await walk(world, { limit: 10, pool: 'another' })).ids).toEqual(numbers('o'));
  expect((await walk(world, { limit: 4, status: 'failed' })).ids.sort()).toEqual(numbers('f').sort());
  expect((await walk(world, { status: 'completed' })).ids).toEqual([]);
});

it('continues after the last task of a page when that one has left the queue', async () => {
  const world = openWorld();
  const { tasks, queue, call } = world;
  for (let at = 0; at < 6; at += 1) await call('a', { task_id: `t${at}` });
  const first = await tasks.list({ status: 'queued', limit: 2 });
  await queue.cancel('t1');
  await queue.cancel('t3');
  const second = await tasks.list({ status: 'queued', limit: 2, cursor: first.next_cursor ?? '' });
  expect(second.items.map(({ task_id }) => task_id)).toEqual(['t2', 't4']);
});

it.each(['', 'x', 'bm90IGpzb24', Buffer.from('[1,2,3,4,5,6]').toString('base64url'), 'a'.repeat(5000)])(
  'refuses %.20j as a cursor',
  async (cursor) => {
    await expect(openWorld().tasks.list({ cursor })).rejects.toMatchObject({
      code: 'invalid_command',
      issues: [{ path: 'cursor' }],
    });
  },
);

it('refuses the cursor of another list', async () => {
  const { tasks, call } = openWorld();
  await call('a');
  await call('a');
  const { next_cursor } = await tasks.list({ limit: 1 });
  await expect(tasks.list({ limit: 1, status: 'queued', cursor: next_cursor ?? '' })).rejects.toMatchObject({
    code: 'invalid_command',
    message: expect.stringContaining('another pool or status'),
  });
});

it('leaves long results and errors out of lists, and says so', async () => {
  const { tasks, queue, call, consumer, ended } = openWorld();
  const long = 'x'.repeat(20_000);
  const made = consumer(async ({ payload }) => {
    if ('function' in payload && payload.function === 'fail') throw new Error(long);
    return long;
  });
  await made.start();
  await call('a', { task_id: 'good' });
  await call('fail', { task_id: 'bad' });
  await ended('bad');
  const { items } = await tasks.list();
  expect(items).toMatchObject([
    {
      task_id: 'bad',
      omitted: ['error'],
      error: { message: expect.stringContaining('too long for a list') },
    },
    { task_id: 'good', omitted: ['result'], result: null, error: null },
  ]);
  expect((await queue.get('good'))?.result).toBe(long);
  expect(await queue.get('bad')).toMatchObject({ error: { message: long } });
});

it('runs a failed task again with its payload and all its retries, and counts on', async () => {
  const { queue, call, consumer, ended } = openWorld();
  let broken = true;
  const attempts: number[] = [];
  const made = consumer(async ({ attempt, payload }) => {
    attempts.push(attempt);
    if (broken) throw new Error('broken');
    return payload;
  });
  await made.start();
  const backoff = { delay_seconds: 0 };
  await call('a', { task_id: 't', max_retries: 1, backoff });
  expect(await ended('t')).toMatchObject({ status: 'failed', attempts: 2 });
  const again = await queue.retry('t', 'key');
  expect(again).toMatchObject({ error: null, completed_at: null, cancelled: false, max_retries: 1 });
  expect(await ended('t')).toMatchObject({ status: 'failed', attempts: 4 });
  // The answer to the first request was lost: it is one retry.
  expect(await queue.retry('t', 'key')).toMatchObject({ status: 'failed', attempts: 4 });
  broken = false;
  await queue.retry('t', 'another');
  expect(await ended('t')).toMatchObject({
    status: 'completed',
    attempts: 5,
    result: { function: 'a' },
    error: null,
  });
  expect(attempts).toEqual([1, 2, 3, 4, 5]);
  await expect(queue.retry('t')).rejects.toMatchObject({
    code: 'conflict',
    message: 'The task t is completed: only a failed or cancelled task can be retried.',
  });
  await expect(queue.retry('unknown')).rejects.toMatchObject({ code: 'not_found' });
});

it('queues a cancelled task again in its class, behind the waiting ones, within the size of the queue', async () => {
  const { queue, call } = openWorld({ queueSize: 3 });
  await call('a', { task_id: 'cancelled', priority: 'high', max_losses: 0 });
  await queue.cancel('cancelled', 'not needed');
  await call('a', { task_id: 'high', priority: 'high' });
  await call('a', { task_id: 'normal' });
  expect(await queue.retry('cancelled')).toMatchObject({ status: 'queued', cancelled: false });
  expect((await queue.list()).map(({ task_id }) => task_id)).toEqual(['high', 'cancelled', 'normal']);
  await expect(queue.retry('cancelled')).rejects.toMatchObject({ code: 'conflict' });
  await queue.cancel('normal');
  await call('a', { task_id: 'third' });
  await expect(queue.retry('normal')).rejects.toMatchObject({ code: 'capacity' });
});

it('keeps the rule of a task that must not be started twice', async () => {
  const { queue, call, worker, consumer, until, ended } = openWorld();
  const { task_id } = await call('hold', { max_losses: 0 });
  await queue.cancel(task_id);
  await queue.retry(task_id);
  const victim = await worker({ workerId: 'victim', lockSeconds: 300 });
  await until(task_id, ({ status }) => status === 'running');
  await kill(victim);
  await queue.release('victim');
  await consumer(async () => 'started twice').start();
  expect(await ended(task_id)).toMatchObject({ status: 'failed', error: { type: 'WorkerLost' } });
});
