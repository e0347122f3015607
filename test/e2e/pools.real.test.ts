/**
 * Pools of task workers on their queue: scaling from zero and back, a new template under load, and a mix of
 * runtimes.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { PoolInput, PoolStatus } from '../../src/model/index.ts';
import { openTasks, type TaskQueue } from '../../src/tasks/index.ts';
import { type FaultWorld, openWorld, type RuntimeUnderTest } from '../faults/world.ts';

const SOON = { timeout: 60_000, interval: 50 };
/** The image of task workers may need a build first. */
const BUILD = { timeout: 300_000, interval: 200 };

interface Scene {
  world: FaultWorld;
  queue: TaskQueue;
  apply(more: Partial<PoolInput>): Promise<Record<string, unknown>>;
  status(): Promise<PoolStatus | undefined>;
  runtimes(): Promise<Record<string, number>>;
}

async function open(name: RuntimeUnderTest, env: Record<string, string> = {}): Promise<Scene> {
  const world = await openWorld(name);
  await world.start(undefined, { HANDLERS_DIR: join(import.meta.dirname, 'pool-handlers'), ...env });
  const tasks = openTasks({
    redisUrl: urlOf(world),
    cell: world.cell.name,
  });
  onTestFinished(() => tasks.close());
  const queue = tasks.queue('naps');
  onTestFinished(() => queue.remove());
  const pool = { name: 'naps', handlers: ['naps.py'], drain_seconds: 20, execution_mode: 'direct' as const };
  return {
    world,
    queue,
    apply: async (more) => world.answer(await world.push({ command: 'apply', pool: { ...pool, ...more } })),
    status: async () => (await world.cell.pools.load('naps'))?.status,
    runtimes: async () => {
      const counts: Record<string, number> = {};
      for (const { name: worker, status } of await world.cell.store.summaries()) {
        if (status !== 'RUNNING') continue;
        const mode = worker?.split('-')[0] ?? '';
        counts[mode] = (counts[mode] ?? 0) + 1;
      }
      return counts;
    },
  };
}

const urlOf = ({ cell }: FaultWorld) => `redis://${cell.redis.options.host}:${cell.redis.options.port}`;

const nap = (queue: TaskQueue, id: number, seconds: number) =>
  queue.submit({ task_id: `nap-${id}`, payload: { function: 'nap', args: [seconds] }, priority: 'normal' });

/** The outcomes of all tasks: the number of each result. */
async function results(queue: TaskQueue, count: number): Promise<Record<string, number>> {
  const ends: Record<string, number> = {};
  for (let id = 0; id < count; id += 1) {
    const task = await queue.get(`nap-${id}`);
    const end =
      task?.status === 'completed' ? String(task.result) : JSON.stringify(task?.error ?? task?.status);
    ends[end] = (ends[end] ?? 0) + 1;
    expect(task?.attempts).toBe(1);
  }
  return ends;
}

test('a pool scales with its queue from zero to its maximum, and back to zero', {
  timeout: 180_000,
}, async () => {
  const { queue, apply, status } = await open('process');
  await apply({ min: 0, max: 3, autoscale: { stabilization_seconds: 2, down_cooldown_seconds: 1 } });
  await expect.poll(status, SOON).toMatchObject({ phase: 'ready', desired: 0, ready: 0 });
  // Long enough that some are left when the last worker starts.
  for (let id = 0; id < 12; id += 1) await nap(queue, id, 3);
  await expect.poll(status, SOON).toMatchObject({ desired: 3 });
  await expect.poll(status, SOON).toMatchObject({ ready: 3, busy: 3 });
  await expect.poll(() => queue.counts(), SOON).toMatchObject({ completed: 12, queued: 0, active: 0 });
  await expect.poll(status, SOON).toMatchObject({ phase: 'ready', desired: 0, ready: 0, draining: 0 });
  expect(await results(queue, 12)).toEqual({ first: 12 });
  await nap(queue, 12, 0);
  await expect.poll(() => queue.counts(), SOON).toMatchObject({ completed: 13 });
  await expect.poll(status, SOON).toMatchObject({ desired: 0, ready: 0, draining: 0 });
});

test('a new template under load loses no task and starts none twice', { timeout: 180_000 }, async () => {
  const { queue, apply, status } = await open('process');
  await apply({ count: 3, concurrency: 2 });
  await expect.poll(status, SOON).toMatchObject({ phase: 'ready', ready: 3 });
  const COUNT = 300;
  let id = 0;
  const feed = async (until: number) => {
    for (; id < until; id += 1) await nap(queue, id, 0.1);
  };
  await feed(60);
  const answer = await apply({ count: 3, concurrency: 2, env: { EDITION: 'second' } });
  expect(answer).toMatchObject({ success: true, change: 'configured' });
  await feed(COUNT);
  await expect.poll(status, SOON).toMatchObject({ phase: 'ready', updated: 3, observed_generation: 2 });
  await expect.poll(() => queue.counts(), SOON).toMatchObject({ completed: COUNT, failed: 0 });
  const ends = await results(queue, COUNT);
  expect((ends.first ?? 0) + (ends.second ?? 0)).toBe(COUNT);
  expect(ends.first).toBeGreaterThan(0);
  await nap(queue, COUNT, 0);
  await expect.poll(async () => (await queue.get(`nap-${COUNT}`))?.result, SOON).toBe('second');
});

test('a busy worker that is scaled down finishes its task, and idle ones are removed before it', {
  timeout: 120_000,
}, async () => {
  const { queue, apply, status, world } = await open('process');
  await apply({ count: 3, drain_seconds: 60 });
  await expect.poll(status, SOON).toMatchObject({ phase: 'ready', ready: 3 });
  const finished = join(world.home, 'finished');
  await queue.submit({
    task_id: 'nap-0',
    payload: { function: 'nap_until', args: [finished] },
    priority: 'normal',
  });
  await expect.poll(status, SOON).toMatchObject({ busy: 1, idle: 2 });
  const working = (await queue.get('nap-0'))?.worker_id;
  await world.push({ command: 'scale', pool: 'naps', count: 1 });
  await expect.poll(status, SOON).toMatchObject({ desired: 1, ready: 1, busy: 1, draining: 0 });
  expect(await world.cell.store.ids()).toEqual([working]);
  await world.push({ command: 'scale', pool: 'naps', count: 0 });
  await expect.poll(status, SOON).toMatchObject({ desired: 0, draining: 1 });
  await writeFile(finished, '');
  await expect.poll(status, SOON).toMatchObject({ desired: 0, draining: 0 });
  expect(await results(queue, 1)).toEqual({ first: 1 });
});

test('a pool of both runtimes keeps its proportion, and all of its workers work', {
  timeout: 400_000,
}, async () => {
  const { queue, apply, status, runtimes, world } = await open('docker', {
    RUNTIME: 'auto',
    WORKER_IMAGE: '',
  });
  await apply({ execution_mode: { docker: 1, direct: 2 } });
  await expect.poll(status, BUILD).toMatchObject({ phase: 'ready', ready: 3 });
  expect(await runtimes()).toEqual({ docker: 1, direct: 2 });
  // Long enough for each worker to get one, even if it starts late.
  for (let id = 0; id < 30; id += 1) await nap(queue, id, 1);
  await expect.poll(() => queue.counts(), SOON).toMatchObject({ completed: 30, failed: 0 });
  const workers = new Set<string | null | undefined>();
  for (let id = 0; id < 30; id += 1) workers.add((await queue.get(`nap-${id}`))?.worker_id);
  expect(workers.size).toBe(3);
  await world.push({ command: 'scale', pool: 'naps', count: 0 });
  await expect.poll(status, SOON).toMatchObject({ desired: 0, ready: 0, draining: 0 });
  // If the manager chooses the runtime, the choice is the same as for a single worker.
  await apply({ count: 1, execution_mode: 'auto' });
  await expect.poll(status, SOON).toMatchObject({ phase: 'ready', ready: 1 });
  expect(await runtimes()).toEqual({ docker: 1 });
});
