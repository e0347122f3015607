import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openWorld, PATIENCE } from './world.ts';

const BLOCKER = join(import.meta.dirname, '../support/block-loop.mjs');
/** Several durations of the lease. */
const BLOCK_MS = 7000;

test('a leader whose main loop is blocked for several lease durations keeps its lease, and answers its probes', async () => {
  const world = await openWorld('process');
  const { redis, store } = world.cell;
  const NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import=${BLOCKER}`;
  const first = await world.start(undefined, {
    NODE_OPTIONS,
    BLOCK_MS: String(BLOCK_MS),
    LEASE_SECONDS: '2',
  });
  await vi.waitFor(() => expect(first.log()).toContain('"recovered"'), PATIENCE);
  const second = await world.start();
  const lease = await redis.get(store.keys.leader);
  const metrics = async () => (await fetch(`${first.url}/metrics`)).text();
  const before = await metrics();
  expect(before).toContain('worker_manager_loop_blocked_seconds 0\n');

  first.kill('SIGUSR2');
  await vi.waitFor(() => expect(first.log()).toContain('loop blocked'), PATIENCE);
  const answers: { path: string; status: number; held: boolean }[] = [];
  while (!first.log().includes('loop free')) {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      const response = await fetch(first.url + path);
      const text = await response.text();
      if (path === '/metrics') expect(text).toContain('worker_manager_leader 1\n');
      const held = (await redis.get(store.keys.leader)) === lease;
      if (!first.log().includes('loop free')) answers.push({ path, status: response.status, held });
    }
  }
  // A scrape waits a second for the loop; 7 seconds allow a few rounds, even on a busy machine.
  expect(answers.length).toBeGreaterThan(3);
  expect(answers.filter(({ status, held }) => status !== 200 || !held)).toEqual([]);
  expect(second.log()).not.toContain('"leading"');

  const worker = randomUUID();
  await world.create(worker);
  await world.reach(worker, { status: 'RUNNING' });
  expect(first.log()).not.toContain('"standby"');
});
