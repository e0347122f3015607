import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { CheckpointDirectory } from '../../src/checkpoints/directory.ts';
import { sweepCheckpoints } from '../../src/leader/checkpoint-sweep.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { newFolder, write } from '../checkpoints/fixture.ts';
import { PATIENCE } from '../support/patience.ts';

test('a sweep keeps the last checkpoint of a deleted worker, and survives a store that is away', async () => {
  const checkpoints = new CheckpointDirectory(newFolder());
  const [deleted, alive] = [randomUUID(), randomUUID()];
  for (const worker_id of [deleted, deleted, alive, alive]) await write(checkpoints, { worker_id });
  const stop = new AbortController();
  let [now, away, leads] = [0, true, false];
  const sweeping = sweepCheckpoints(
    {
      checkpoints,
      store: {
        index: async () => {
          if (away) throw new Error('away');
          return { [alive]: '1.1' };
        },
        identity: async () => ({ id: 'store', created_at: '2026-01-01T00:00:00.000Z', adopted: {} }),
        status: async () => undefined,
      },
      retentionMs: 1000,
      budget: 1e9,
      intervalMs: 5,
      mayAct: () => leads,
      log: createLogger({ level: 'silent', version: '0', secrets: [] }),
      now: () => now,
    },
    stop.signal,
  );
  const left = async () => (await checkpoints.list()).map(({ worker_id }) => worker_id === alive);
  expect(await left()).toHaveLength(4);
  leads = true;
  away = false;
  await vi.waitFor(async () => expect(await left()).toEqual([true, true, false]), PATIENCE);
  now = 2000;
  await vi.waitFor(async () => expect(await left()).toEqual([true, true]), PATIENCE);
  stop.abort();
  await sweeping;
});

test.each([
  ['a store that was lost', '2031-01-01T00:00:00.000Z', 1],
  ['a store that is about to be recognized', undefined, 1],
  ['a store that has always known them', '2029-01-01T00:00:00.000Z', 3],
])(
  'in %s, checkpoints of workers without a record that may have been lost are kept',
  async (_name, created_at, most) => {
    const checkpoints = new CheckpointDirectory(newFolder());
    const [lost, deleted] = [randomUUID(), randomUUID()];
    for (const worker_id of [lost, lost, lost, deleted, deleted]) await write(checkpoints, { worker_id });
    const stop = new AbortController();
    const sweeping = sweepCheckpoints(
      {
        checkpoints,
        store: {
          index: async () => ({}),
          identity: async () =>
            created_at === undefined ? undefined : { id: 'store', created_at, adopted: {} },
          status: async (id) => (id === deleted ? { desired: 'deleted', status: undefined } : undefined),
        },
        retentionMs: 1000,
        budget: 1e9,
        intervalMs: 5,
        mayAct: () => true,
        log: createLogger({ level: 'silent', version: '0', secrets: [] }),
        now: () => 0,
      },
      stop.signal,
    );
    // The last one of the deleted worker is kept until it expires; those of the other are, unless their worker was deleted.
    await vi.waitFor(async () => expect(await checkpoints.list()).toHaveLength(5 - most), PATIENCE);
    stop.abort();
    await sweeping;
    const left = (await checkpoints.list()).map(({ worker_id }) => worker_id);
    expect([left.length, left.filter((id) => id === deleted).length]).toEqual([5 - most, 1]);
  },
);
