import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { formatInstant } from '../../src/model/index.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { type Given, lifeOf, look, memoOf, NOW } from './observation.ts';
import { SITUATIONS, STATES } from './situations.ts';

const MARGIN = 5;
const next = (value: unknown, life: object, given: Given) =>
  decide(look({ ...given, memo: memoOf(value, lifeOf(life)) })).requeue_after_ms;

test('is a non-negative number, and never missing if time alone would change the decision', () => {
  for (const [state, { value, context }] of Object.entries(STATES)) {
    for (const [situation, given] of Object.entries(SITUATIONS)) {
      const name = `${state}, ${situation}`;
      const first = decide(look({ ...given, memo: memoOf(value, context) }));
      const { requeue_after_ms: ms, status, memo } = first;
      if (ms !== undefined) expect(Number.isFinite(ms) && ms >= 0, name).toBe(true);
      // Actions other than signals are followed by another observation immediately.
      if (ms !== undefined || first.intents.some(({ type }) => type !== 'terminate' && type !== 'kill'))
        continue;
      // So is another state, whose rules this observation was not compared with.
      if (!isDeepStrictEqual(memo.value, value)) continue;
      const seen = { ...given, memo, status };
      const now = decide(look(seen));
      // An hour later only a silent wrapper differs, which the resync looks for.
      const later = decide(look({ ...seen, now: (given.now ?? NOW) + 3_600_000 }));
      if (later.rule !== 'silent') expect(later.rule, name).toBe(now.rule);
    }
  }
});

const running = { body: {}, beat: {} } satisfies Given;
const created = NOW - 3_600_000;
test.each<[string, unknown, object, Given, number | undefined]>([
  ['a running worker that nothing limits', { RUNNING: 'ready' }, { expected: true }, running, undefined],
  [
    'the end of its life',
    { RUNNING: 'ready' },
    { expected: true },
    { ...running, spec: { ttl_seconds: 3700 } },
    100_000,
  ],
  [
    'its idle time',
    { RUNNING: 'ready' },
    { expected: true },
    { ...running, spec: { idle_timeout_seconds: 60 } },
    59_000,
  ],
  ['its start deadline', { STARTING: 'booting' }, { expected: true }, { body: {} }, 100_000],
  [
    'its start deadline, counted from when this manager could see',
    { STARTING: 'booting' },
    { expected: true },
    { body: {}, watching_since: NOW },
    120_000,
  ],
  [
    'the end of its life before its start deadline',
    { STARTING: 'booting' },
    { expected: true },
    { body: {}, spec: { ttl_seconds: 3650 } },
    50_000,
  ],
  ['its next try', { STARTING: 'backoff' }, { next_retry_at: NOW + 2000 }, {}, 2000],
  [
    'a leftover that is being removed during its backoff',
    { STARTING: 'backoff' },
    { next_retry_at: NOW + 20_000 },
    { body: {} },
    5000,
  ],
  [
    'a next try beyond all waits, from a clock that was set back',
    { STARTING: 'backoff' },
    { next_retry_at: NOW + 3_600_000, incarnation: 2 },
    { spec: { ttl_seconds: 7200 } },
    3_600_000,
  ],
  [
    'SIGKILL',
    { RUNNING: 'stopping' },
    { expected: true, ending: { reason: '', message: '', kill_at: NOW + 4000 } },
    running,
    4000,
  ],
  [
    'a body that SIGKILL has not ended yet',
    { RUNNING: 'stopping' },
    { expected: true, ending: { reason: '', message: '', kill_at: NOW - 1 } },
    running,
    5000,
  ],
  [
    'forgetting',
    'FAILED',
    { generation: 1, outcome: { reason: '', message: '', well: false, at: NOW - 1000 } },
    { spec: { keep_finished_seconds: 60 } },
    59_000,
  ],
  [
    'forgetting what is overdue',
    'FAILED',
    { generation: 1, outcome: { reason: '', message: '', well: false, at: 0 } },
    {},
    undefined,
  ],
  [
    'an engine that cannot be seen',
    { RUNNING: 'ready' },
    { expected: true },
    { actual: { kind: 'unknown', error: '' } },
    30_000,
  ],
  ['bodies that are too many', 'FAILED', {}, { actual: { kind: 'ambiguous', ids: [] } }, 30_000],
])('looks again for %s', (_, value, life, given, ms) => {
  const desired = { created_at: formatInstant(created), ...given.desired };
  expect(next(value, life, { ...given, desired })).toBe(ms === undefined ? undefined : ms + MARGIN);
});

test('an expired idle time changes nothing before the next heartbeat, and causes no loop', () => {
  const beat = { active_at: formatInstant(NOW - 90_000), busy: true };
  const given = { body: {}, beat, spec: { idle_timeout_seconds: 60 } };
  expect(next({ RUNNING: 'ready' }, { expected: true }, given)).toBe(1000 + MARGIN);
});
