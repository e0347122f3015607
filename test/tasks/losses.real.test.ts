import { describe, expect, it, vi } from 'vitest';
import { gate, kill, openWorld, said } from './world.ts';

const LOCK = 1.5;

describe('a worker that dies in the middle of a task', () => {
  it('loses it to another worker, when its lock ends', async () => {
    const { call, worker, consumer, ended, until } = openWorld();
    const victim = await worker({ workerId: 'victim', lockSeconds: LOCK });
    const { task_id } = await call('hold');
    await until(task_id, ({ status }) => status === 'running');
    await kill(victim);
    await consumer(async () => 'saved', { lockSeconds: LOCK }).start();
    expect(await ended(task_id)).toMatchObject({
      status: 'completed',
      result: 'saved',
      attempts: 2,
      worker_id: 'w-0',
    });
  });

  it('loses it at once where somebody knows that it is dead', async () => {
    const { call, worker, consumer, ended, until, queue } = openWorld();
    const victim = await worker({ workerId: 'victim', incarnation: 2, lockSeconds: 300 });
    const { task_id } = await call('hold');
    await until(task_id, ({ status }) => status === 'running');
    await kill(victim);
    await consumer(async () => 'saved', { lockSeconds: 300 }).start();
    expect(await queue.release('victi')).toBe(0);
    expect(await queue.release('victim', 1)).toBe(0);
    expect(await queue.release('victim', 2)).toBe(1);
    expect(await ended(task_id)).toMatchObject({ status: 'completed', result: 'saved', attempts: 2 });
  });

  it('gets it back at once itself, in its next body', async () => {
    const { call, worker, until } = openWorld();
    const victim = await worker({ workerId: 'same', incarnation: 1, lockSeconds: 300 });
    const { task_id } = await call('count', { payload: { function: 'count', args: [3, 60_000] } });
    await until(task_id, ({ status }) => status === 'running');
    await kill(victim);
    const next = await worker({ workerId: 'same', incarnation: 2, lockSeconds: 300 });
    const view = await until(task_id, ({ attempts }) => attempts === 2);
    expect(view).toMatchObject({ status: 'running', worker_id: 'same' });
    await kill(next);
  });

  it('ends a task that kills every worker, as WorkerLost', async () => {
    const { call, worker, consumer, ended, until, queue } = openWorld();
    const { task_id } = await call('hold', { max_losses: 1, max_retries: 5 });
    for (const [at, workerId] of ['first', 'second'].entries()) {
      const victim = await worker({ workerId, lockSeconds: 300 });
      await until(task_id, ({ status, attempts }) => status === 'running' && attempts === at + 1);
      await kill(victim);
      await queue.release(workerId);
    }
    const run = vi.fn(async () => 'never');
    await consumer(run, { lockSeconds: 300 }).start();
    expect(await ended(task_id)).toMatchObject({
      status: 'failed',
      error: { type: 'WorkerLost' },
      cancelled: false,
    });
    expect(run).not.toHaveBeenCalled();
  });

  it('has a cancelled task ended by whoever finds it', async () => {
    const { call, worker, consumer, ended, until, queue } = openWorld();
    const victim = await worker({ workerId: 'victim', lockSeconds: LOCK });
    const { task_id } = await call('hold', { max_retries: 3 });
    await until(task_id, ({ status }) => status === 'running');
    await kill(victim);
    expect(await queue.cancel(task_id, 'Too late.')).toMatchObject({ cancelled: true });
    const run = vi.fn(async () => 'never');
    await consumer(run, { lockSeconds: LOCK }).start();
    expect(await ended(task_id)).toMatchObject({
      status: 'failed',
      error: { type: 'Cancelled', message: 'Too late.' },
    });
    expect(run).not.toHaveBeenCalled();
  });
});

describe('a worker that was taken for dead', () => {
  it('cannot report: its attempt is asked to end, and its result is refused', async () => {
    const { call, consumer, ended, redis, cell, queue, troubles } = openWorld();
    const [first, asked] = [gate<string>(), gate<unknown>()];
    const slow = consumer(
      (_task, { signal }) => {
        signal.addEventListener('abort', () => asked.resolve(signal.reason));
        return first.promise;
      },
      { lockSeconds: LOCK },
    );
    await slow.start();
    const { task_id } = await call('a');
    await vi.waitFor(() => expect(slow.active()).toHaveLength(1));
    // What a frozen process, or a Redis that it cannot reach, does to its lock.
    await redis.del(`${cell}:task:${queue.pool}:t.${task_id}:lock`);
    const second = gate<string>();
    const other = consumer(() => second.promise, { lockSeconds: LOCK });
    await other.start();
    expect(await asked.promise).toMatchObject({ kind: 'lost' });
    await vi.waitFor(() => expect(other.active()).toMatchObject([{ task_id, attempt: 2 }]), {
      timeout: 10_000,
    });
    first.resolve('of the first');
    await vi.waitFor(() => expect(slow.totals().fenced).toBe(1));
    expect(await queue.get(task_id)).toMatchObject({ status: 'running', attempts: 2, worker_id: 'w-1' });
    second.resolve('of the second');
    expect(await ended(task_id)).toMatchObject({ status: 'completed', result: 'of the second' });
    expect(slow.totals()).toMatchObject({ completed: 0, failed: 0 });
    expect(other.totals()).toMatchObject({ completed: 1 });
    expect(troubles).toContain("A result was refused, for the task is no longer this worker's");
  });

  it('cannot report before it has noticed', async () => {
    const { call, worker, consumer, ended, until } = openWorld();
    const frozen = await worker({ workerId: 'frozen', lockSeconds: LOCK });
    const { task_id } = await call('count', { payload: { function: 'count', args: [3, 1500] } });
    await until(task_id, ({ status }) => status === 'running');
    frozen.kill('SIGSTOP');
    const second = gate<string>();
    const other = consumer(() => second.promise, { lockSeconds: LOCK });
    await other.start();
    await vi.waitFor(() => expect(other.active()).toHaveLength(1), { timeout: 15_000 });
    const refused = said(frozen, 'refused');
    frozen.kill('SIGCONT');
    await refused;
    expect((await until(task_id, () => true)).status).toBe('running');
    second.resolve('right');
    expect(await ended(task_id)).toMatchObject({ result: 'right', attempts: 2 });
  });
});
