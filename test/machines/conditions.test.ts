import { describe, expect, test } from 'vitest';
import { isWorkerState, newWorkerState, ready, startDeadline } from '../../machines/conditions.ts';
import { outcome, restartBackoffMs, retryIsDue } from '../../machines/endings.ts';
import { backedOff } from '../../machines/transitions.ts';
import { LIMITS, lifeOf, look, NOW, statusOf } from '../reconcile/observation.ts';

test('a worker whose program could not be started was never ready, even if its wrapper is ending', () => {
  // It was RUNNING for a moment, and whatever waited for that succeeded.
  const of = (beat: object) => ready(lifeOf(), look({ body: {}, beat }));
  expect(of({ phase: 'ending', ready_at: undefined })).toBe(false);
  expect(of({ phase: 'ending', ready_at: '2030-01-01T11:00:00.000Z' })).toBe(true);
  expect([of({ phase: 'ready' }), of({ phase: 'booting', ready_at: undefined })]).toEqual([true, false]);
});

describe('the wait before a restart', () => {
  test.each([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [6, 32_000],
    [7, 60_000],
    [1_000_000, 60_000],
  ])('after %i failures in a row is %i ms', (failures, ms) => {
    expect(restartBackoffMs(failures, LIMITS)).toBe(ms);
  });

  test('starts again at the first delay after a long run', () => {
    const failed = { failures: 5, expected: true };
    const exited = look({ body: { state: 'exited', exit_code: 1 } });
    const short = backedOff(lifeOf({ ...failed, running_since: NOW - 599_999 }), exited);
    expect(short).toMatchObject({ failures: 6, next_retry_at: NOW + 32_000 });
    const long = backedOff(lifeOf({ ...failed, running_since: NOW - 600_000 }), exited);
    expect(long).toMatchObject({ failures: 1, next_retry_at: NOW + 1000 });
  });

  test('is over at its time, and if it exceeds the maximum', () => {
    const due = (in_ms: number) => retryIsDue(lifeOf({ next_retry_at: NOW + in_ms }), look());
    expect([due(1), due(60_000)]).toEqual([false, false]);
    expect([due(0), due(-1), due(60_001)]).toEqual([true, true, true]);
  });
});

test('the start deadline does not count time in which the body could not be observed', () => {
  const of = (given: object) => startDeadline(lifeOf(), look(given)) - NOW;
  expect(of({ body: { started_at: NOW - 20_000 } })).toBe(100_000);
  expect(of({ body: { started_at: NOW - 20_000 }, watching_since: NOW - 5000 })).toBe(115_000);
  expect(of({})).toBe(100_000);
});

describe('a worker without a memo', () => {
  test.each([
    ['is new if nothing is known of it', {}, { incarnation: 1, expected: false, restarts: 0 }],
    ['has the incarnation of its body', { body: { incarnation: 7 } }, { incarnation: 7 }],
    ['continues from its status', { status: statusOf() }, { incarnation: 3, restarts: 1, expected: false }],
    [
      // Found by `npm run test:property`, seed 56621513: reported while nothing could be observed, and taken back afterwards.
      'takes back no reported incarnation',
      { body: { incarnation: 1 }, status: statusOf({ incarnation: 2 }) },
      { incarnation: 2 },
    ],
    [
      'continues from its heartbeat if the status is lost',
      { beat: { incarnation: 4 } },
      { incarnation: 5, expected: false },
    ],
    [
      'is missed where its status says that it lived',
      { status: statusOf({ status: 'RUNNING', phase: 'ready' }) },
      { incarnation: 2, expected: true },
    ],
  ] as const)('%s', (_, given, life) => {
    expect(newWorkerState(look(given))).toMatchObject(life);
  });
});

test('a temporarily failed action does not explain an exit, but an impossible one does', () => {
  // Found by the storm over warm bodies, seed 1: a quick program had its secrets, was handed them again, and had completed.
  const late = { reason: 'SecretsNotDelivered', message: 'It is not waiting for them.' };
  const of = (kind: 'transient' | 'permanent', body: object) =>
    outcome(lifeOf(), look({ action_error: { ...late, kind }, body }));
  const exited = { state: 'exited', exit_code: 0 };
  expect(of('transient', exited)).toMatchObject({ reason: 'Completed', well: true });
  expect(of('transient', { state: 'created' })).toMatchObject({ reason: 'SecretsNotDelivered', well: false });
  expect(of('permanent', exited)).toMatchObject({ reason: 'SecretsNotDelivered', well: false });
});

test('a stored state must have all values that calculations use', () => {
  expect(isWorkerState(JSON.parse(JSON.stringify(lifeOf())))).toBe(true);
  for (const none of [undefined, null, 5, 'x', [], {}, lifeOf({ failures: Number.NaN })]) {
    expect(isWorkerState(none)).toBe(false);
  }
});
