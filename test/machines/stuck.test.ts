import fc from 'fast-check';
import { expect, test } from 'vitest';
import { whyHung } from '../../machines/stuck.ts';
import { formatInstant } from '../../src/model/index.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { LIMITS, lifeOf, look, memoOf, NOW } from '../reconcile/observation.ts';

const { hung_ms } = LIMITS;
const ms = fc.integer({ min: 0, max: 100 * hung_ms });
const running = memoOf({ RUNNING: 'ready' }, lifeOf({ expected: true, running_since: NOW - 15_000 }));
const taskOf = (ran: number, bound: number | undefined) => ({
  beat: { at: formatInstant(NOW), job_started_at: formatInstant(NOW - ran) },
  spec: { max_job_time_seconds: bound },
});

test('one sign alone never kills a body, however long it lasts', () => {
  fc.assert(
    fc.property(ms, fc.integer({ min: 0, max: hung_ms - 1 }), fc.boolean(), (long, short, quiet) => {
      const vitals = quiet ? { quiet_ms: long, stuck_ms: short } : { quiet_ms: short, stuck_ms: long };
      const { intents } = decide(look({ memo: running, body: {}, beat: {}, vitals }));
      expect(intents).toEqual([]);
    }),
  );
});

test('a task within its limit, or without one, is never a reason, however often it is checked', () => {
  fc.assert(
    fc.property(ms, fc.integer({ min: 1, max: 100_000 }), (ran, bound) => {
      const vitals = { quiet_ms: 0, stuck_ms: 0 };
      const over = ran >= bound * 1000 + hung_ms;
      expect(whyHung(look({ ...taskOf(ran, bound), vitals }))?.reason).toBe(over ? 'HungTask' : undefined);
      expect(whyHung(look({ ...taskOf(ran, undefined), vitals }))).toBeUndefined();
    }),
  );
});

test('clocks that differ between manager and body change nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: -86_400_000, max: 86_400_000 }), ms, ms, (skew, ran, quiet_ms) => {
      const vitals = { quiet_ms, stuck_ms: 0 };
      const at = (now: number) => whyHung(look({ ...taskOf(ran, 30), vitals, now }))?.reason;
      expect(at(NOW + skew)).toBe(at(NOW));
    }),
  );
});

test('a hung body is killed immediately, reported with evidence, and restarted by its policy', () => {
  const vitals = { quiet_ms: 61_000, stuck_ms: 60_000 };
  for (const [restart_policy, end] of [
    ['never', { status: 'FAILED', reason: 'HungBody' }],
    ['on-failure', { status: 'STARTING', phase: 'backoff', reason: 'HungBody' }],
  ] as const) {
    const spec = { restart_policy, stop_grace_seconds: 3600 };
    const killed = decide(look({ memo: running, spec, body: {}, beat: {}, vitals }));
    expect(killed.intents).toEqual([{ type: 'kill', body_id: 'body' }]);
    expect(killed.status).toMatchObject({ status: 'RUNNING', phase: 'killing', reason: 'HungBody' });
    expect(killed.status.message).toBe(
      'Its heartbeat has not changed for 61 s, and for 60 s it uses no CPU.',
    );
    const body = { state: 'exited', exit_code: 137 } as const;
    const after = decide(look({ memo: killed.memo, spec, body, beat: {} }));
    expect(after.status).toMatchObject({ ...end, message: killed.status.message });
  }
});
