import { expect, test } from 'vitest';
import type { Member, PoolMemo } from '../../src/model/pool/pool-memo.ts';
import { decidePool } from '../../src/pools/decide.ts';
import { dying, look, member, members, NOW, poolOf, starting } from './observation.ts';

/** A worker between two failures: it has no outcome then, and no error text. */
const again = (restarts: number): Partial<Member> => ({ ...starting, restarts });

/** Consecutive reconciles, with the memo as the store returns it. */
function story() {
  let memo: PoolMemo | undefined;
  return (all: Member[], more = {}) => {
    const decision = decidePool(look({ members: all, ...(memo && { memo }), ...more }));
    memo = JSON.parse(JSON.stringify(decision.memo)) as PoolMemo;
    return decision;
  };
}

test('a rollout that is stopped while the worker that failed starts again reports why it failed', () => {
  const pass = story();
  const old = members(3, { revision: 'old' });
  pass([...old, member(4, { ...dying, restarts: 2 })]);
  pass([...old, member(4, again(2))]);
  const { status } = pass([...old, member(4, again(3))]);
  expect(status).toMatchObject({ phase: 'stopped', reason: 'RolloutFailed' });
  expect(status.message).toMatch(
    /^Workers of the new template keep failing \(Error\): It exited with code 1\. The rollout/,
  );
});

test('a pool reports why its workers fail for as long as they fail, and no longer', () => {
  const pass = story();
  const message = '0 of 3 workers are ready. Its workers keep failing (Error): It exited with code 1.';
  expect(pass(members(3, dying)).status.message).toBe(message);
  for (let n = 0; n < 3; n += 1)
    expect(pass(members(3, again(2))).status).toMatchObject({
      phase: 'degraded',
      reason: 'Error',
      message,
    });
  const others = members(3, { ...dying, reason: 'OOMKilled', message: 'It took too much.' });
  expect(pass(others).status).toMatchObject({ reason: 'OOMKilled' });
  expect(pass(members(3, again(3))).status.message).toMatch(/\(OOMKilled\): It took too much\.$/);
  expect(pass(members(3)).memo.last_words).toBeUndefined();
  expect(pass(members(3, again(1))).status.message).toMatch(/keep failing \(Error\)\.$/);
});

test('a rollout that is too slow reports why its worker failed', () => {
  const pass = story();
  const old = members(3, { revision: 'old' });
  const late = { more: { now: NOW + 700_000 } };
  pass([...old, member(4, { ...dying, restarts: 1 })]);
  expect(pass([...old, member(4, again(1))], late).status.message).toMatch(
    /within 600 s\. One of them reported: It exited with code 1\. The rollout/,
  );
});

test('warm workers of a template that never starts do not keep one that may from being tried', () => {
  const spec = poolOf({ handlers: undefined, template: { agent_type: 'CLAUDE' }, warm: 2 });
  const { intents, status } = decidePool(
    look({ spec, members: members(2, { ...dying, warm: true, revision: 'old' }) }),
  );
  expect(intents).toMatchObject([
    { type: 'add', warm: true },
    { type: 'add', warm: true },
  ]);
  expect(status).toMatchObject({ phase: 'progressing', reason: 'Warming' });
});

test('a pool whose warm workers are claimed and replaced is progressing, and never degraded', () => {
  const spec = poolOf({ handlers: undefined, template: { agent_type: 'CLAUDE' }, warm: 2 });
  const phases = [
    { members: members(2, { warm: true }) },
    { members: members(1, { warm: true }), more: { claiming_until: NOW + 1000 } },
    { members: members(1, { warm: true }) },
    { members: [member(1, { warm: true }), member(2, { warm: true, ...starting })] },
    { members: members(2, { warm: true }) },
  ].map((given) => decidePool(look({ spec, ...given })).status.phase);
  expect(phases).toEqual(['ready', 'progressing', 'progressing', 'progressing', 'ready']);
});
