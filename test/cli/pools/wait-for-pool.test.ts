import { expect, test } from 'vitest';
import { waitForPool } from '../../../src/cli/pools/wait-for-pool.ts';

test('a wait for a pool sees its workers each time, for the build that they wait for', async () => {
  const pool = { generation: 2 };
  const reads = [
    { pool, status: { observed_generation: 1, phase: 'ready' }, members: ['builds'] },
    { pool, status: { observed_generation: 2, phase: 'ready' }, members: ['runs'] },
  ];
  const seen: unknown[] = [];
  const store = { load: async () => reads.shift() as never };
  await waitForPool(store, 'jobs', 5, (members) => seen.push(...members));
  expect(seen).toEqual(['builds', 'runs']);
});
