import { Job, Queue } from 'bullmq';
import { describe, expect, it, vi } from 'vitest';
import { openTasks, QueueFull } from '../../src/tasks/index.ts';
import { openWorld, POOL } from './world.ts';

const nothing = { critical: 0, high: 0, normal: 0, low: 0 };

describe("a pool's queue", () => {
  it('reports the place of a task, by priority and then by age', async () => {
    const { call, queue } = openWorld();
    const low = await call('a', { priority: 'low' });
    const normal = await call('a');
    const second = await call('a');
    const critical = await call('a', { priority: 'critical' });
    expect([low, normal, second, critical].map(({ position }) => position)).toEqual([1, 1, 2, 1]);
    expect((await queue.list()).map(({ task_id }) => task_id)).toEqual(
      [critical, normal, second, low].map(({ task_id }) => task_id),
    );
    expect(await queue.counts()).toEqual({
      queued: 4,
      delayed: 0,
      active: 0,
      completed: 0,
      failed: 0,
      queued_by_priority: { ...nothing, critical: 1, normal: 2, low: 1 },
    });
  });

  it('shows a queued task as in the contract', async () => {
    const { call, queue } = openWorld();
    await call('a', { task_id: '2026', priority: 'high', max_retries: 2 });
    expect(await queue.get('2026')).toEqual({
      task_id: '2026',
      status: 'queued',
      result: null,
      error: null,
      error_message: null,
      pool: POOL,
      priority: 'high',
      queued_at: expect.stringMatching(/^\d{4}-.*Z$/),
      started_at: null,
      completed_at: null,
      attempts: 0,
      max_retries: 2,
      progress: null,
      worker_id: null,
      cancelled: false,
    });
    expect(await queue.get('2027')).toBeUndefined();
  });

  it('takes the same task_id once, however many clients submit it at the same time', async () => {
    const { call, queue } = openWorld();
    const answers = await Promise.all(Array.from({ length: 50 }, () => call('a', { task_id: 'once' })));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect((await queue.counts()).queued).toBe(1);
  });

  it('refuses a repeated task_id with another payload, whose result would be that of the first', async () => {
    const { queue, submit } = openWorld();
    const task = { task_id: 'once', payload: { function: 'a', kwargs: { x: 1, y: [2] } } };
    await submit(task);
    await expect(
      submit({ ...task, payload: { function: 'a', args: [], kwargs: { y: [2], x: 1 } } }),
    ).resolves.toMatchObject({ task_id: 'once' });
    for (const payload of [
      { function: 'b', kwargs: task.payload.kwargs },
      { function: 'a' },
      { prompt: 'a' },
    ])
      await expect(submit({ ...task, payload })).rejects.toMatchObject({ code: 'conflict' });
    expect((await queue.counts()).queued).toBe(1);
  });

  it("accepts names that the queue's own keys have as well", async () => {
    const { call, queue } = openWorld();
    for (const task_id of ['wait', 'meta', 'id', 'active', 'prioritized', 'pc', '7'])
      await call('a', { task_id });
    expect((await queue.list()).map(({ task_id }) => task_id)).toHaveLength(7);
  });

  it('holds at most its size, however many clients submit, and returns when to retry', async () => {
    const { submit, queue, call } = openWorld({ queueSize: 100 });
    const many = Array.from({ length: 400 }, () => submit({ payload: { function: 'a' } }));
    const settled = await Promise.allSettled(many);
    const refused = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(settled.length - refused.length).toBe(100);
    expect((await queue.counts()).queued).toBe(100);
    expect(refused[0]).toBeInstanceOf(QueueFull);
    expect(refused[0]).toMatchObject({ code: 'capacity', retry_after_seconds: 5 });
    const [{ task_id } = { task_id: '' }] = await queue.list();
    // A queued task is not a new one.
    await expect(call('a', { task_id })).resolves.toMatchObject({ task_id, position: 1 });
    await queue.cancel(task_id);
    await expect(call('a')).resolves.toMatchObject({ status: 'queued', position: 100 });
  });

  it('ends a queued task that is cancelled, for good and once', async () => {
    const { call, queue, consumer, ended } = openWorld();
    const { task_id } = await call('a');
    const view = await queue.cancel(task_id, 'It is not needed.');
    expect(view).toMatchObject({
      status: 'failed',
      cancelled: true,
      attempts: 0,
      result: null,
      error: { type: 'Cancelled', message: 'It is not needed.' },
    });
    expect(await queue.cancel(task_id, 'Again.')).toEqual(view);
    // Counted where it ended, for no worker has seen it.
    expect(await queue.results()).toMatchObject({ cancelled: 1, completed: 0 });
    const run = vi.fn(async () => 1);
    await consumer(run).start();
    const last = await call('b');
    expect(await ended(last.task_id)).toMatchObject({ status: 'completed' });
    expect(run).toHaveBeenCalledTimes(1);
    await expect(queue.cancel('never')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('finds a task by its ID alone, and reports a conflict between two', async () => {
    const { tasks, call, queue } = openWorld();
    await call('a', { task_id: 'here' });
    const other = tasks.queue('other');
    await other.submit({ task_id: 'there', payload: { prompt: 'Hi' }, priority: 'normal' });
    expect(await tasks.find('there')).toMatchObject({ pool: 'other', status: 'queued' });
    expect(await tasks.find('nowhere')).toBeUndefined();
    expect(await tasks.pools()).toEqual(['other', POOL]);
    expect(await tasks.cancel('here')).toMatchObject({ cancelled: true });
    await call('a', { task_id: 'there' });
    await expect(tasks.find('there')).rejects.toMatchObject({ code: 'conflict' });
    await queue.remove();
    expect(await tasks.find('there')).toMatchObject({ pool: 'other' });
    expect(await tasks.pools()).toEqual(['other']);
  });

  it('deletes everything of a removed queue', async () => {
    const { call, queue, redis, cell } = openWorld();
    await Promise.all(Array.from({ length: 50 }, () => call('a')));
    await queue.remove();
    expect(await redis.keys(`${cell}:*`)).toEqual([]);
  });

  it('writes a task as BullMQ itself would', async () => {
    const { call, redis, cell, queue } = openWorld();
    const bull = new Queue(POOL, { connection: redis, prefix: `${cell}:task` });
    try {
      const { task_id } = await call('ours', { priority: 'high', max_retries: 3 });
      const theirs = await bull.add('task', {}, { jobId: 't.theirs', priority: 2, attempts: 4 });
      const [a, b] = await Promise.all([
        redis.hgetall(`${cell}:task:${POOL}:t.${task_id}`),
        redis.hgetall(`${cell}:task:${POOL}:t.theirs`),
      ]);
      expect(Object.keys(a).sort()).toEqual([...Object.keys(b), 'stc'].sort());
      for (const field of ['name', 'delay', 'priority']) expect(a[field]).toBe(b[field]);
      expect(JSON.parse(a.opts ?? '')).toMatchObject({ attempts: 4 });
      const scores = await redis.zrange(`${cell}:task:${POOL}:prioritized`, 0, '-1', 'WITHSCORES');
      expect(scores.flat()).toEqual([`t.${task_id}`, expect.anything(), 't.theirs', expect.anything()]);
      await queue.cancel('theirs');
      expect(await theirs.getState()).toBe('failed');
      expect(await (await Job.fromId(bull, `t.${task_id}`))?.getState()).toBe('prioritized');
    } finally {
      await bull.close();
    }
  });

  it('reports that Redis is away, not that the task is rejected', async () => {
    const away = openTasks({ redisUrl: 'redis://127.0.0.1:1', cell: 'default' });
    await expect(away.queue(POOL).get('a')).rejects.toMatchObject({ code: 'unavailable' });
    await away.close();
  });
});
