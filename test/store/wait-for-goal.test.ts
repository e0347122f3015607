import { expect, test } from 'vitest';
import type { Link } from '../../src/store/connect.ts';
import { getKeys } from '../../src/store/keys.ts';
import type { StreamHub } from '../../src/store/streams/stream-hub.ts';
import { waitForGoal } from '../../src/store/streams/wait-for-goal.ts';

// A manager that was waiting while it shut down ended with an unhandled "Connection is closed." and code 1.
test('a wait continues by polling if the connection for events is closed', async () => {
  const pipeline = {
    hmget: () => pipeline,
    hgetall: () => pipeline,
    exec: async () => [
      [null, [null, null, null]],
      [null, {}],
    ],
  };
  const hub = {
    before: async () => '0-0',
    // biome-ignore lint/correctness/useYield: it fails before there is anything to yield.
    async *read() {
      throw new Error('Connection is closed.');
    },
  };
  const deps = {
    redis: { pipeline: () => pipeline } as unknown as Link,
    keys: getKeys('test'),
    hub: hub as unknown as StreamHub,
  };
  const { outcome } = await waitForGoal(deps, 'worker', 'deleted', AbortSignal.timeout(5000));
  expect(outcome).toBe('reached');
});
