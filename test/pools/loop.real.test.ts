import { expect, test, vi } from 'vitest';
import type { PoolInput, PoolStatus } from '../../src/model/index.ts';
import { type FaultWorld, openWorld, PATIENCE } from '../faults/world.ts';

/** Agents that wait forever: a pool handles all kinds of workers in the same way. */
const pool = (more: Partial<PoolInput> = {}): PoolInput => ({
  name: 'jobs',
  execution_mode: 'direct',
  drain_seconds: 2,
  template: { agent_type: 'CUSTOM', command_line: ['sleep', '600'] },
  ...more,
});

const apply = async (world: FaultWorld, more: Partial<PoolInput> = {}) =>
  world.answer(await world.push({ command: 'apply', pool: pool(more) }));

const statusOf = async ({ cell }: FaultWorld): Promise<PoolStatus | undefined> =>
  (await cell.pools.load('jobs'))?.status;

const reach = (world: FaultWorld, expected: Partial<PoolStatus>) =>
  vi.waitFor(async () => expect(await statusOf(world)).toMatchObject(expected), PATIENCE);

const running = async ({ runtime }: FaultWorld) =>
  (await runtime.list()).filter(({ state }) => state === 'running').map(({ worker_id }) => worker_id);

/** Waits until that many bodies run, none of them of those workers: the pool's status may be of a moment before. */
const replaced = (world: FaultWorld, before: string[], count: number) =>
  vi.waitFor(async () => {
    const after = await running(world);
    expect(after).toHaveLength(count);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
  }, PATIENCE);

const namesOf = async ({ cell }: FaultWorld) =>
  (await cell.store.summaries()).map(({ name }) => name?.replace(/-[0-9a-f]{8}-.*$/, '')).sort();

test('a pool is applied, scaled up and down, and deleted', { timeout: 90_000 }, async () => {
  const world = await openWorld('process');
  await world.start();
  expect(await apply(world, { count: 3, worker_type: 'sleeper' })).toMatchObject({
    success: true,
    pool: 'jobs',
    change: 'created',
  });
  await reach(world, { phase: 'ready', desired: 3, ready: 3, idle: 3, busy: 0 });
  expect(await namesOf(world)).toEqual(['direct-sleeper-1', 'direct-sleeper-2', 'direct-sleeper-3']);
  const three = await running(world);
  expect(three).toHaveLength(3);
  expect(await apply(world, { count: 3, worker_type: 'sleeper' })).toMatchObject({ change: 'unchanged' });

  const scaled = await world.push({ command: 'scale', pool: 'jobs', count: 5 });
  expect(await world.answer(scaled)).toMatchObject({ success: true, count: 5, before: 3 });
  await reach(world, { phase: 'ready', desired: 5, ready: 5 });
  expect(await running(world)).toEqual(expect.arrayContaining(three));

  await world.push({ command: 'scale', pool: 'jobs', count: 1 });
  await reach(world, { phase: 'ready', desired: 1, ready: 1, draining: 0 });
  expect(await running(world)).toHaveLength(1);
  await world.push({ command: 'scale', pool: 'jobs', count: 0 });
  await reach(world, { phase: 'ready', desired: 0, ready: 0, draining: 0 });
  expect(await running(world)).toEqual([]);
  await world.push({ command: 'scale', pool: 'jobs', count: 2 });
  await reach(world, { phase: 'ready', desired: 2, ready: 2 });

  const deleted = await world.push({ command: 'delete_pool', pool: 'jobs' });
  expect(await world.answer(deleted)).toMatchObject({ success: true });
  await vi.waitFor(async () => expect(await world.cell.pools.load('jobs')).toBeUndefined(), PATIENCE);
  expect(await world.bodies()).toEqual([]);
  expect(await world.cell.store.ids()).toEqual([]);
  const again = await world.push({ command: 'delete_pool', pool: 'jobs' });
  expect(await world.answer(again)).toMatchObject({ success: true });
  const never = await world.push({ command: 'delete_pool', pool: 'never' });
  expect(await world.answer(never)).toMatchObject({ success: false, error: { code: 'not_found' } });
  // Its name is free again.
  expect(await apply(world, { count: 1 })).toMatchObject({ change: 'created' });
  await reach(world, { phase: 'ready', ready: 1 });
});

test('a worker that is deleted, killed or stopped manually is replaced', { timeout: 60_000 }, async () => {
  const world = await openWorld('process');
  await world.start();
  await apply(world, { count: 2 });
  await reach(world, { phase: 'ready', ready: 2 });
  const [first = '', second = ''] = await running(world);
  await world.push({ command: 'delete', worker_id: first });
  await replaced(world, [first], 2);
  await reach(world, { phase: 'ready', ready: 2, draining: 0 });
  await world.push({ command: 'stop', worker_id: second });
  await replaced(world, [first, second], 2);
  await reach(world, { phase: 'ready', ready: 2, draining: 0 });
  const victim = (await world.runtime.list()).find(({ state }) => state === 'running');
  await world.reach(victim?.worker_id ?? '', { status: 'RUNNING', incarnation: 1 });
  await world.runtime.kill(victim?.id ?? '');
  // Its own policy brings it back, under its own name.
  await world.reach(victim?.worker_id ?? '', { status: 'RUNNING', incarnation: 2 });
  await reach(world, { phase: 'ready', ready: 2 });
});

test('a new template replaces all workers, with never fewer than the strategy allows', {
  timeout: 90_000,
}, async () => {
  const world = await openWorld('process');
  await world.start();
  await apply(world, { count: 3 });
  await reach(world, { phase: 'ready', ready: 3 });
  const before = await running(world);
  const seen: number[] = [];
  const watching = setInterval(
    () => void statusOf(world).then((status) => seen.push(status?.ready ?? -1)),
    20,
  );
  const template = { agent_type: 'CUSTOM' as const, command_line: ['sleep', '601'] };
  expect(await apply(world, { count: 3, template })).toMatchObject({ change: 'configured' });
  await replaced(world, before, 3);
  await reach(world, { phase: 'ready', ready: 3, updated: 3, draining: 0 });
  clearInterval(watching);
  expect(Math.min(...seen)).toBe(3);
});

test('a template that does not work is stopped, its old workers stay, and a good one continues', {
  timeout: 90_000,
}, async () => {
  const world = await openWorld('process');
  await world.start(undefined, { RESTART_BACKOFF_SECONDS: '0.1' });
  await apply(world, { count: 3 });
  await reach(world, { phase: 'ready', ready: 3 });
  const before = await running(world);
  const broken = { agent_type: 'CUSTOM' as const, command_line: ['/no/such/program'] };
  await apply(world, { count: 3, template: broken });
  await reach(world, { phase: 'stopped', reason: 'RolloutFailed', ready: 3, updated: 1 });
  expect(await running(world)).toEqual(expect.arrayContaining(before));
  expect((await statusOf(world))?.message).toMatch(/Workers of the new template keep failing/);
  await apply(world, { count: 3, template: { agent_type: 'CUSTOM', command_line: ['sleep', '602'] } });
  await reach(world, { phase: 'ready', ready: 3, updated: 3, draining: 0 });
  expect((await running(world)).filter((id) => before.includes(id))).toEqual([]);
});
