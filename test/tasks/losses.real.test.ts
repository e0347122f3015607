import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { TaskConsumer } from '../../src/tasks/index.ts';
import { startRedis } from '../support/redis.ts';
import { gate, kill, openWorld, said, soon } from './world.ts';

const LOCK = 1.5;

describe('a worker that dies in the middle of a task', () => {
  it('loses it to another worker when its lock expires', async () => {
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

  it('loses it immediately if it is known to be dead', async () => {
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

  it('gets it back immediately in its next body', async () => {
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

  // The take that finds it lost too often counted as one more attempt once.
  it.for([0, 1])(
    'ends a task that kills every worker, as WorkerLost, with max_losses: %s',
    async (losses) => {
      const { call, worker, consumer, ended, until, queue } = openWorld();
      const { task_id } = await call('hold', { max_losses: losses, max_retries: 5 });
      for (const [at, workerId] of ['first', 'second'].slice(0, losses + 1).entries()) {
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
        attempts: losses + 1,
      });
      expect(run).not.toHaveBeenCalled();
    },
  );

  it('has a cancelled task ended by the worker that finds it', async () => {
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
      attempts: 1,
    });
    expect(run).not.toHaveBeenCalled();
  });
});

describe('a worker that was considered dead', () => {
  it('cannot report: its attempt is aborted, and its result is rejected', async () => {
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
    await vi.waitFor(() => expect(slow.active()).toHaveLength(1), soon);
    // As if it had been frozen for longer than its lock, and another had taken the task and died of it.
    const lock = `${cell}:task:${queue.pool}:t.${task_id}:lock`;
    await redis.set(lock, 'another/1/1');
    await asked.promise;
    await redis.del(lock);
    const second = gate<string>();
    const other = consumer(() => second.promise, { lockSeconds: LOCK });
    await other.start();
    expect(await asked.promise).toMatchObject({ kind: 'lost' });
    await vi.waitFor(() => expect(other.active()).toMatchObject([{ task_id, attempt: 2 }]), soon);
    first.resolve('of the first');
    await vi.waitFor(() => expect(slow.totals().fenced).toBe(1), soon);
    expect(await queue.get(task_id)).toMatchObject({ status: 'running', attempts: 2, worker_id: 'w-1' });
    second.resolve('of the second');
    expect(await ended(task_id)).toMatchObject({ status: 'completed', result: 'of the second' });
    await other.drain();
    expect(slow.totals()).toMatchObject({ completed: 0, failed: 0 });
    expect(other.totals()).toMatchObject({ completed: 1 });
    expect(troubles).toContain('result refused; another worker has the task');
  });

  it('cannot report before it has noticed', async () => {
    const { call, worker, consumer, ended, until, redis, cell } = openWorld();
    const frozen = await worker({ workerId: 'frozen', lockSeconds: LOCK });
    const { task_id } = await call('ask');
    await until(task_id, ({ status }) => status === 'running');
    frozen.kill('SIGSTOP');
    const second = gate<string>();
    // Its lock outlasts a moment of this process, in which the other one lives.
    const other = consumer(() => second.promise, { lockSeconds: 4 * LOCK });
    await other.start();
    await vi.waitFor(() => expect(other.active()).toHaveLength(1), { timeout: 30_000 });
    await redis.rpush(`${cell}:answer:${task_id}`, 'wrong');
    const refused = said(frozen, 'refused');
    frozen.kill('SIGCONT');
    await refused;
    expect((await until(task_id, () => true)).status).toBe('running');
    second.resolve('right');
    expect(await ended(task_id)).toMatchObject({ result: 'right', attempts: 2 });
  });

  it('keeps its task if no other has taken it meanwhile', async () => {
    const { call, consumer, ended, redis, cell, queue } = openWorld();
    const base = `${cell}:task:${queue.pool}`;
    // No check for dead workers runs meanwhile: one that renews seldom would be taken for one.
    await redis.set(`${base}:stalled-check`, '1');
    const done = gate<string>();
    const [renewing, asleep] = ['renewing', 'asleep'].map((workerId, at) =>
      consumer(() => done.promise, { workerId, lockSeconds: at === 0 ? LOCK : 300 }),
    ) as [TaskConsumer, TaskConsumer];
    for (const one of [renewing, asleep]) await one.start();
    const tasks = [await call('a'), await call('a')];
    await vi.waitFor(() => expect([...renewing.active(), ...asleep.active()]).toHaveLength(2), soon);
    const locks = tasks.map(({ task_id }) => `${base}:t.${task_id}:lock`);
    await redis.del(locks);
    const [one] = renewing.active();
    // The one takes its lock again by the clock, and the other when it has a result.
    await vi.waitFor(async () => expect(await redis.exists(`${base}:t.${one?.task_id}:lock`)).toBe(1), soon);
    done.resolve('done');
    for (const { task_id } of tasks)
      expect(await ended(task_id)).toMatchObject({ result: 'done', attempts: 1 });
    await Promise.all([renewing.drain(), asleep.drain()]);
    expect(renewing.totals()).toMatchObject({ completed: 1, fenced: 0 });
    expect(asleep.totals()).toMatchObject({ completed: 1, fenced: 0 });
  });

  it('keeps its task while Redis is away for longer than the lock', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const { call, consumer, ended } = openWorld({}, server.url);
    const done = gate<string>();
    // Longer than any pause between two tries to connect, or the one that is back first takes what is the other's.
    const lockSeconds = 4;
    const all = [1, 2].map(() => consumer(() => done.promise, { lockSeconds }));
    for (const one of all) await one.start();
    const { task_id } = await call('a');
    await vi.waitFor(() => expect(all.flatMap((one) => one.active())).toHaveLength(1), soon);
    await server.kill();
    await wait(lockSeconds * 1500);
    await server.start();
    await vi.waitFor(async () => expect(await call('b').catch(() => undefined)).toBeDefined(), {
      timeout: 20_000,
    });
    // The second one is taken by the worker that is free, so both have Redis back; then a lock's time for mistakes.
    await vi.waitFor(() => expect(all.flatMap((one) => one.active())).toHaveLength(2), { timeout: 20_000 });
    await wait(lockSeconds * 2000);
    done.resolve('done');
    expect(await ended(task_id)).toMatchObject({ result: 'done', attempts: 1 });
    await Promise.all(all.map((one) => one.drain()));
    expect(all.map((one) => one.totals().fenced)).toEqual([0, 0]);
  });
});

// It waited for its whole grace once, which may be an hour: an unanswered fetch counted as a task.
it('an idle worker that is asked to end while Redis is away does not wait for it', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const { consumer, troubles } = openWorld({}, server.url);
  const idle = consumer(async () => 'never');
  idle.pause();
  await idle.start();
  await server.kill();
  await vi.waitFor(() => expect(troubles).toContain('Redis connection lost'), soon);
  // It asks for a task from here on.
  idle.resume();
  await idle.drain();
  expect(idle.active()).toEqual([]);
  await server.start();
});
