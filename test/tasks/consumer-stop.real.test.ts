import { describe, expect, it, vi } from 'vitest';
import type { RunTask } from '../../src/tasks/index.ts';
import { fastBackoff, functionName, hold } from './handlers.ts';
import { gate, openWorld, soon } from './world.ts';

describe('a consumer that stops, or whose tasks do,', () => {
  it('ends a running task that is cancelled, and does not retry it', async () => {
    const { call, consumer, until, ended, tasks } = openWorld();
    await consumer(hold).start();
    const { task_id } = await call('a', { max_retries: 3, backoff: fastBackoff });
    await until(task_id, ({ status }) => status === 'running');
    expect(await tasks.cancel(task_id, 'Out of money.')).toMatchObject({ cancelled: true });
    expect(await ended(task_id)).toMatchObject({
      status: 'failed',
      attempts: 1,
      cancelled: true,
      error: { type: 'Cancelled', message: 'Out of money.' },
    });
  });

  it('ends a task that is cancelled while it waits for its backoff', async () => {
    const { call, consumer, until, queue } = openWorld();
    await consumer(async () => {
      throw new Error('first');
    }).start();
    const { task_id } = await call('a', {
      max_retries: 3,
      backoff: { ...fastBackoff, delay_seconds: 60, max_delay_seconds: 60 },
    });
    await until(task_id, (view) => view.next_attempt_at !== undefined);
    expect(await queue.counts()).toMatchObject({ queued: 1, delayed: 1 });
    expect(await queue.cancel(task_id)).toMatchObject({
      status: 'failed',
      cancelled: true,
      error: { type: 'Cancelled' },
    });
  });

  it('keeps the result of a handler that was done before its abort', async () => {
    const { call, consumer, until, ended, queue } = openWorld();
    const done = gate();
    await consumer(async () => {
      await done.promise;
      return 'done';
    }).start();
    const { task_id } = await call('a');
    await until(task_id, ({ status }) => status === 'running');
    await queue.cancel(task_id);
    done.resolve();
    expect(await ended(task_id)).toMatchObject({ status: 'completed', result: 'done', cancelled: false });
  });

  it('takes no task while it is paused, and holds none that it has not started', async () => {
    const { call, consumer, ended, queue } = openWorld();
    const slow = gate();
    const made = consumer(async (task) => {
      if (functionName(task) === 'slow') await slow.promise;
    });
    await made.start();
    // Short ones teach it to fetch ahead.
    for (const { task_id } of await Promise.all(Array.from({ length: 60 }, () => call('short'))))
      await ended(task_id);
    const first = await call('slow');
    await vi.waitFor(() => expect(made.active()).toMatchObject([{ task_id: first.task_id }]), soon);
    const rest = await Promise.all(Array.from({ length: 3 }, () => call('short')));
    made.pause();
    expect(made.paused).toBe(true);
    const more = await call('short');
    await vi.waitFor(async () => expect(await queue.counts()).toMatchObject({ queued: 4, active: 1 }), soon);
    slow.resolve();
    await ended(first.task_id);
    expect(await queue.counts()).toMatchObject({ queued: 4, active: 0 });
    expect((await queue.list({ status: 'queued' })).map(({ attempts }) => attempts)).toEqual([0, 0, 0, 0]);
    made.resume();
    for (const { task_id } of [...rest, more]) expect(await ended(task_id)).toMatchObject({ attempts: 1 });
  });

  it('returns tasks that it fetched ahead, for a worker that is free', async () => {
    const { call, consumer, ended } = openWorld();
    const slow = gate();
    const run: RunTask = async (task) => {
      if (functionName(task) === 'slow') await slow.promise;
    };
    await consumer(run).start();
    for (const { task_id } of await Promise.all(Array.from({ length: 60 }, () => call('short'))))
      await ended(task_id);
    const first = await call('slow');
    const rest = await Promise.all(Array.from({ length: 5 }, () => call('short')));
    await consumer(run).start();
    for (const { task_id } of rest)
      expect(await ended(task_id)).toMatchObject({ status: 'completed', attempts: 1 });
    slow.resolve();
    await ended(first.task_id);
  });

  it('finishes running tasks when it is drained, and leaves the rest to others', async () => {
    const { call, consumer, ended, queue } = openWorld();
    const slow = gate();
    const made = consumer(() => slow.promise);
    await made.start();
    const [first, second] = [await call('a'), await call('a')];
    await vi.waitFor(() => expect(made.active()).toHaveLength(1), soon);
    const drained = made.drain();
    await call('a');
    slow.resolve();
    await drained;
    expect(await queue.get(first.task_id)).toMatchObject({ status: 'completed' });
    expect(await queue.counts()).toMatchObject({ queued: 2, active: 0 });
    await made.close();
    await consumer(async () => 2).start();
    expect(await ended(second.task_id)).toMatchObject({ status: 'completed', result: 2 });
  });

  it('returns its tasks to others immediately if it ends in the middle of them', async () => {
    const { call, consumer, ended } = openWorld();
    const made = consumer(hold, { concurrency: 2 });
    await made.start();
    const [first, once] = [await call('a'), await call('a', { max_losses: 0 })];
    // It would return tasks that it hasn't received yet unbegun.
    await vi.waitFor(() => expect(made.active()).toHaveLength(2), soon);
    await made.close();
    await consumer(async () => 'by another').start();
    expect(await ended(first.task_id)).toMatchObject({ result: 'by another', attempts: 2, worker_id: 'w-1' });
    expect(await ended(once.task_id)).toMatchObject({
      status: 'failed',
      attempts: 1,
      error: { type: 'WorkerLost' },
    });
  });
});
