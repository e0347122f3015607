import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { TaskError } from '../../src/model/task/task-error.ts';
import type { RunTask } from '../../src/tasks/index.ts';
import { PATIENCE } from '../support/patience.ts';
import { fastBackoff, functionName, hold } from './handlers.ts';
import { gate, openWorld, soon } from './world.ts';

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
      if (task.attempt < 3 || functionName(task) === 'never') throw new Error(`attempt ${task.attempt}`);
      return task.attempt;
    }).start();
    const { task_id } = await call('third', { max_retries: 5, backoff: fastBackoff });
    const again = await until(task_id, ({ attempts }) => attempts === 2);
    expect(again).toMatchObject({
      status: 'running',
      error: null,
      last_error: { type: 'Error', message: 'attempt 1' },
    });
    failing.resolve();
    expect(await ended(task_id)).toMatchObject({ status: 'completed', result: 3, attempts: 3, error: null });
    const never = await call('never', { max_retries: 2, backoff: fastBackoff });
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
    const { task_id } = await call('a', { max_retries: 5, backoff: { ...fastBackoff, delay_seconds: 0 } });
    expect(await ended(task_id)).toMatchObject({ attempts: 1, error: { type: 'UnknownFunction' } });
  });

  it("ends an attempt at its timeout, the task's own or the worker's", async () => {
    const { call, consumer, ended } = openWorld();
    await consumer(hold, { timeoutSeconds: 0.05 }).start();
    const [own, theirs] = [
      await call('a', { timeout_seconds: 0.1, max_retries: 1, backoff: fastBackoff }),
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
        if (functionName(task) === 'deaf') await deaf.promise;
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
    await vi.waitFor(() => expect(made.totals().seconds).toBeGreaterThan(0), PATIENCE);
  });

  it('fails a result that is not JSON or is too long, without another attempt', async () => {
    const { call, consumer, ended } = openWorld();
    await consumer(async (task) => (functionName(task) === 'big' ? 'x'.repeat(17 * 1024 ** 2) : 1n)).start();
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
