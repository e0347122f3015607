/** A storm of starts at a size that is feasible for a test; `npm run bench storm` is the full version. */
import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { alive } from '../support/processes.ts';
import { openWorld, PATIENCE } from './world.ts';

/** Only the storm itself may be slow: a machine that pauses must not take the lease away. */
const LASTING = { LEASE_SECONDS: '60', RESYNC_SECONDS: '30' };
const STORM = 24;

test(`${STORM} workers declared at once come up a few at a time, each with its first body; a queued one is deleted at once`, async () => {
  const world = await openWorld('process');
  const manager = await world.start(undefined, { ...LASTING, MAX_CONCURRENT_STARTS: '3' });
  const workers = Array.from({ length: STORM }, () => randomUUID());
  for (const worker of workers) await world.create(worker);
  const last = workers.pop() ?? '';
  await world.reach(last, { status: 'STARTING', phase: 'queued', reason: 'Queued' });
  expect((await world.cell.store.status(last))?.status?.message).toMatch(
    /^Position \d+ of \d+ in the start queue: 3 bodies may boot at the same time/,
  );
  await world.push({ command: 'delete', worker_id: last });
  await world.reach(last, { status: 'STOPPED', phase: 'deleted' });
  const still = await world.cell.store.summaries();
  expect(still.filter(({ phase }) => phase === 'queued').length, 'not after the others').toBeGreaterThan(0);
  let most = 0;
  await vi.waitFor(
    async () => {
      const bodies = await world.bodies();
      // Read after the bodies, so that a worker that became RUNNING in between does not count as booting.
      const summaries = await world.cell.store.summaries();
      const running = new Set(
        summaries.filter(({ status }) => status === 'RUNNING').map(({ worker_id }) => worker_id),
      );
      most = Math.max(most, bodies.filter(({ worker_id }) => !running.has(worker_id)).length);
      expect(running.size).toBe(workers.length);
    },
    { timeout: 120_000, interval: 20 },
  );
  expect(most, 'bodies that boot').toBeLessThanOrEqual(3);
  const found = await Promise.all(workers.map((worker) => world.cell.store.status(worker)));
  expect(new Set(found.map((one) => `${one?.status?.incarnation} ${one?.status?.restarts}`))).toEqual(
    new Set(['1 0']),
  );
  // They start in the order of their creation, except that the few concurrent boots may overtake each other.
  const order = await world.cell.read(world.cell.store.keys.responses);
  const created = (order as { worker_id: string }[]).map(({ worker_id }) => worker_id);
  const ready = found
    .map((one, at) => ({ id: workers[at] ?? '', at: Date.parse(one?.status?.running_at ?? '') }))
    .sort((a, b) => a.at - b.at);
  for (const [place, { id }] of ready.entries())
    expect(Math.abs(created.indexOf(id) - place), 'places overtaken').toBeLessThanOrEqual(8);
  expect(manager.log()).not.toContain('"standby"');
  expect(alive(manager.pid)).toBe(true);
});

test('MAX_WORKERS_TOTAL rejects a create with capacity, a pool reports it, and free capacity is used at once', async () => {
  const world = await openWorld('process');
  await world.start(undefined, { ...LASTING, MAX_WORKERS_TOTAL: '2' });
  const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
  await world.create(first);
  await world.create(second);
  const refused = await world.answer(await world.create(third));
  expect(refused).toMatchObject({ success: false, error: { code: 'capacity' } });
  expect(JSON.stringify(refused)).toContain('MAX_WORKERS_TOTAL is 2');
  const template = { agent_type: 'CUSTOM', command_line: ['sleep', '600'] };
  const pool = { name: 'more', count: 1, execution_mode: 'direct', template };
  await world.push({ command: 'apply', pool });
  await vi.waitFor(
    async () =>
      expect((await world.cell.pools.load('more'))?.status).toMatchObject({
        phase: 'degraded',
        reason: 'Capacity',
        current: 0,
      }),
    PATIENCE,
  );
  await world.push({ command: 'stop', worker_id: first });
  await vi.waitFor(
    async () => expect((await world.cell.pools.load('more'))?.status).toMatchObject({ current: 1 }),
    PATIENCE,
  );
  const start = await world.answer(await world.push({ command: 'start', worker_id: first }));
  expect(start).toMatchObject({ success: false, error: { code: 'capacity' } });
  await world.push({ command: 'delete_pool', pool: 'more' });
  await vi.waitFor(async () => expect(await world.cell.pools.load('more')).toBeUndefined(), PATIENCE);
  expect(await world.answer(await world.create(third))).toMatchObject({ success: true });
});
