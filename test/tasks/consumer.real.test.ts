import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { TaskError } from '../../src/model/task-error.ts';
import type { RunTask } from '../../src/tasks/index.ts';
import { gate, openWorld, soon } from './world.ts';

const nameOf = (task: Parameters<RunTask>[0]) => ('function' in task.payload ? task.payload.function : '');
/** Runs until it is aborted. */
const hold: RunTask = (_task, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
const fast = { type: 'fixed', delay_seconds: 0.02, max_delay_seconds: 1 } as const;

describe('a consumer', () => {
  it('runs submitted tasks and stores their results', async () => {
    const { submit, consumer, ended } = openWorld();
    const run = vi.fn<RunTask>(async () => ({ pages: 3, of: [1, null, 'ä'] }));
    await consumer(run, { workerId: 'w-7' }).start();
    const payload = { function: 'render', args: [1, 'b'], kwargs: { deep: { er: [null] } } };
    const { task_id } = await submit({ payload, priority: 'high', timeout_seconds: 9 });
    expect(await ended(task_id)).toMatchObject({
      status: 'completed',
      result: { pages: 3, of: [1, null, 'ä'] },
      error: null,
      attempts: 1,
      worker_id: 'w-7',
      started_at: expect.stringContaining('T'),
      completed_at: expect.stringContaining('T'),
    });
    expect(run.mock.calls[0]?.[0]).toMatchObject({
      task_id,
      payload,
      priority: 'high',
      attempt: 1,
      timeout_seconds: 9,
    });
  });

  it('runs no more concurrent tasks than it has slots', async () => {
    const { call, consumer, ended } = openWorld();
    let now = 0;
    let most = 0;
    const full = gate();
    const made = consumer(
      async () => {
        now += 1;
        most = Math.max(most, now);
        // However slowly Redis hands out, the first attempts are under way together.
        if (now === 3) full.resolve();
        await full.promise;
        await wait(1);
        now -= 1;
      },
      { concurrency: 3 },
    );
    const ids = await Promise.all(Array.from({ length: 100 }, async () => (await call('a')).task_id));
    await made.start();
    await Promise.all(ids.map((id) => ended(id)));
    expect(most).toBe(3);
    // A reader may see a result before the worker knows that it is stored.
    await made.drain();
    expect(made.totals()).toMatchObject({ completed: 100, failed: 0, retried: 0, fenced: 0 });
  });

  it('stores the error of a handler, with its traceback', async () => {
    const { call, consumer, ended } = openWorld();
    await consumer(async () => {
      throw new TaskError({ type: 'ValueError', message: 'no such page', traceback: 'Traceback …' });
    }).start();
    const { task_id } = await call('a');
    expect(await ended(task_id)).toMatchObject({
      status: 'failed',
      result: null,
      attempts: 1,
      cancelled: false,
      error: { type: 'ValueError', message: 'no such page', traceback: 'Traceback …' },
    });
  });

  it('retries after its backoff, as often as the task allows', async () => {
    const { call, consumer, ended, until } = openWorld();
    const failing = gate();
    await consumer(async (task) => {
      if (task.attempt === 2) await failing.promise;
      if (task.attempt < 3 || nameOf(task) === 'never') throw new Error(`attempt ${task.attempt}`);
      return task.attempt;
    }).start();
    const { task_id } = await call('third', { max_retries: 5, backoff: fast });
    const again = await until(task_id, ({ attempts }) => attempts === 2);
    expect(again).toMatchObject({
      status: 'running',
      error: null,
      last_error: { type: 'Error', message: 'attempt 1' },
    });
    failing.resolve();
    expect(await ended(task_id)).toMatchObject({ status: 'completed', result: 3, attempts: 3, error: null });
    const never = await call('never', { max_retries: 2, backoff: fast });
    expect(await ended(never.task_id)).toMatchObject({
      status: 'failed',
      attempts: 3,
      error: { message: 'attempt 3' },
    });
  });

  it('does not retry an error that would recur', async () => {
    const { call, consumer, ended } = openWorld();
    await consumer(async () => {
      throw new TaskError({ type: 'UnknownFunction', message: 'a' }, { retry: false });
    }).start();
    const { task_id } = await call('a', { max_retries: 5, backoff: { ...fast, delay_seconds: 0 } });
    expect(await ended(task_id)).toMatchObject({ attempts: 1, error: { type: 'UnknownFunction' } });
  });

  it("ends an attempt at its timeout, the task's own or the worker's", async () => {
    const { call, consumer, ended } = openWorld();
    await consumer(hold, { timeoutSeconds: 0.05 }).start();
    const [own, theirs] = [
      await call('a', { timeout_seconds: 0.1, max_retries: 1, backoff: fast }),
      await call('a'),
    ];
    expect(await ended(own.task_id)).toMatchObject({
      status: 'failed',
      attempts: 2,
      cancelled: false,
      error: { type: 'Timeout', message: 'It exceeded its timeout of 0.1 s and was ended.' },
    });
    expect(await ended(theirs.task_id)).toMatchObject({ status: 'failed', error: { type: 'Timeout' } });
  });

  it('fails a task whose runner does not end, and keeps that slot taken', async () => {
    const { call, consumer, ended } = openWorld();
    const deaf = gate();
    const made = consumer(
      async (task) => {
        if (nameOf(task) === 'deaf') await deaf.promise;
      },
      { endGraceSeconds: 0.05, concurrency: 2 },
    );
    await made.start();
    const first = await call('deaf', { timeout_seconds: 0.05 });
    expect(await ended(first.task_id)).toMatchObject({ status: 'failed', error: { type: 'Timeout' } });
    const second = await call('deaf', { timeout_seconds: 0.05 });
    await ended(second.task_id);
    const third = await call('other');
    await consumer(async () => 'elsewhere').start();
    expect(await ended(third.task_id)).toMatchObject({ worker_id: 'w-1', attempts: 1 });
    deaf.resolve();
    await vi.waitFor(() => expect(made.totals().seconds).toBeGreaterThan(0));
  });

  it('ends a running task that is cancelled, and does not retry it', async () => {
    const { call, consumer, until, ended, tasks } = openWorld();
    await consumer(hold).start();
    const { task_id } = await call('a', { max_retries: 3, backoff: fast });
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
      backoff: { ...fast, delay_seconds: 60, max_delay_seconds: 60 },
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

  it('fails a result that is not JSON or is too long, without another attempt', async () => {
    const { call, consumer, ended } = openWorld();
    await consumer(async (task) => (nameOf(task) === 'big' ? 'x'.repeat(17 * 1024 ** 2) : 1n)).start();
    const [none, big] = [await call('none', { max_retries: 2 }), await call('big', { max_retries: 2 })];
    expect(await ended(none.task_id)).toMatchObject({ attempts: 1, error: { type: 'NotSerialisable' } });
    expect(await ended(big.task_id)).toMatchObject({ attempts: 1, error: { type: 'ResultTooLarge' } });
  });

  it('reports the progress of an attempt, its last value before its result', async () => {
    const { call, consumer, until, ended } = openWorld();
    const seen = gate();
    await consumer(async (_task, { progress }) => {
      progress({ page: 1 });
      await seen.promise;
      for (let page = 2; page <= 100; page += 1) progress({ page });
    }).start();
    const { task_id } = await call('a');
    await until(task_id, ({ progress }) => (progress as { page?: number } | null)?.page === 1);
    seen.resolve();
    expect(await ended(task_id)).toMatchObject({ status: 'completed', progress: { page: 100 } });
  });

  it('takes no task while it is paused, and holds none that it has not started', async () => {
    const { call, consumer, ended, queue } = openWorld();
    const slow = gate();
    const made = consumer(async (task) => {
      if (nameOf(task) === 'slow') await slow.promise;
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
      if (nameOf(task) === 'slow') await slow.promise;
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

  it('deletes expired results', async () => {
    const { call, consumer, queue, ended, tasks } = openWorld();
    await consumer(async () => 1, { keepSeconds: 1 }).start();
    const { task_id } = await call('a');
    await ended(task_id);
    const sweeper = tasks.queue(queue.pool, { keepSeconds: 0.05 });
    await vi.waitFor(async () => {
      await sweeper.sweep();
      expect(await queue.get(task_id)).toBeUndefined();
    }, soon);
  });
});
