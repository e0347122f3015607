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
