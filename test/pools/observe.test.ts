import { expect, test } from 'vitest';
import { decidePool } from '../../src/pools/decide.ts';
import { observePool } from '../../src/pools/reconcile.ts';
import { computeRevision } from '../../src/pools/template.ts';
import { LIMITS, members, NOW, poolOf } from './observation.ts';

test('a warm pool waits for the end of a series of claims before it adds workers', async () => {
  const spec = poolOf({ handlers: undefined, template: { agent_type: 'CLAUDE' }, warm: 3 });
  const revision = computeRevision(spec);
  const pool = { spec, desired: 0, generation: 1, created_at: NOW };
  const read = {
    name: 'jobs',
    pool,
    status: undefined,
    memo: undefined,
    members: members(2, { warm: true, revision }),
  };
  const decide = async (claimingUntil: number | undefined) => {
    const observation = await observePool(read as never, {
      observeQueue: async () => ({ kind: 'known', queued: 0, active: 0 }),
      chooseAuto: async () => undefined,
      findWarmImage: async () => undefined,
      claimingUntil: () => claimingUntil,
      limits: { ...LIMITS, heartbeat_silent_ms: 30_000, hung_ms: 60_000 },
      now: () => NOW,
      leadingSince: 0,
    });
    return decidePool(observation).intents.filter(({ type }) => type === 'add').length;
  };
  expect(await decide(undefined)).toBe(1);
  expect(await decide(NOW + 1)).toBe(0);
  expect(await decide(NOW)).toBe(1);
});
