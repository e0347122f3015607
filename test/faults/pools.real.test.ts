/** Kills a real manager process at every step of a pool, and lets another one continue. */
import { expect, test, vi } from 'vitest';
import type { PoolInput, PoolStatus } from '../../src/model/index.ts';
import { type FaultWorld, openWorld, PATIENCE } from './world.ts';

const pool = (seconds = 600, more: Partial<PoolInput> = {}): PoolInput => ({
  name: 'jobs',
  count: 2,
  execution_mode: 'direct',
  drain_seconds: 2,
  template: { agent_type: 'CUSTOM', command_line: ['sleep', String(seconds)] },
  ...more,
});
const reach = ({ cell }: FaultWorld, expected: Partial<PoolStatus>) =>
  vi.waitFor(async () => expect((await cell.pools.load('jobs'))?.status).toMatchObject(expected), PATIENCE);
const running = async ({ runtime }: FaultWorld) =>
  (await runtime.list()).filter(({ state }) => state === 'running').map(({ worker_id }) => worker_id);

/** Steps of an apply, of a rolling update and of a deletion; one case dies at one of each. */
const STEPS: [apply: string, update: string, remove: string][] = [
  ['command:settled', 'pool:record:before', 'pool:record:after'],
  ['pool:record:after', 'pool:add:after', 'pool:retire:before@2'],
  ['pool:add:after', 'pool:retire:after', 'pool:retire:after'],
  ['pool:add:after@2', 'pool:retire:before', 'pool:purge:before'],
];

test.each(STEPS)(
  'a manager that dies at %s of an apply, at %s of an update, at %s of a deletion',
  {
    timeout: 120_000,
  },
  async (atApply, atUpdate, atDelete) => {
    const world = await openWorld('process');
    const applied = await world.push({ command: 'apply', pool: pool() });
    const first = await world.start(atApply);
    expect(await first.exited, first.log()).toBe(-1);
    const second = await world.start();
    await reach(world, { phase: 'ready', ready: 2, current: 2, draining: 0 });
    expect(await world.answer(applied)).toMatchObject({ success: true, change: 'created' });
    const before = await running(world);
    expect(before).toHaveLength(2);
    await second.stop();

    const changed = await world.push({ command: 'apply', pool: pool(601) });
    const third = await world.start(atUpdate);
    expect(await third.exited, third.log()).toBe(-1);
    const fourth = await world.start();
    await vi.waitFor(async () => {
      const after = await running(world);
      expect(after).toHaveLength(2);
      expect(after.filter((id) => before.includes(id))).toEqual([]);
    }, PATIENCE);
    await reach(world, { phase: 'ready', ready: 2, current: 2, updated: 2, draining: 0 });
    expect(await world.answer(changed)).toMatchObject({ success: true, change: 'configured' });
    await fourth.stop();

    const deleted = await world.push({ command: 'delete_pool', pool: 'jobs' });
    const fifth = await world.start(atDelete);
    expect(await fifth.exited, fifth.log()).toBe(-1);
    await world.start();
    await vi.waitFor(async () => expect(await world.cell.pools.load('jobs')).toBeUndefined(), PATIENCE);
    expect(await world.answer(deleted)).toMatchObject({ success: true });
    expect(await world.bodies()).toEqual([]);
    expect([await world.cell.store.ids(), await world.cell.store.index()]).toEqual([[], {}]);
  },
);

test('workers of a pool survive the loss of all records, and rejoin it when it is applied', {
  timeout: 60_000,
}, async () => {
  const world = await openWorld('process');
  const { redis, name } = world.cell;
  await world.start();
  await world.answer(await world.push({ command: 'apply', pool: pool() }));
  await reach(world, { phase: 'ready', ready: 2 });
  const before = await running(world);
  const all: string[] = [];
  for await (const keys of redis.scanStream({ match: `${name}:*`, count: 1000 })) all.push(...keys);
  // All at once, like a lost store: a manager that reads in between would mistake a part for the whole.
  await redis.del(all);
  await vi.waitFor(async () => expect(await world.cell.store.ids()).toHaveLength(2), PATIENCE);
  expect(await running(world)).toEqual(before);
  await vi.waitFor(async () => {
    await world.push({ command: 'apply', pool: pool() });
    expect((await world.cell.pools.load('jobs'))?.status).toMatchObject({
      phase: 'ready',
      ready: 2,
      updated: 2,
    });
  }, PATIENCE);
  expect((await running(world)).sort()).toEqual(before.sort());
});
