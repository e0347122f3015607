import fc from 'fast-check';
import { expect, test } from 'vitest';
import { updateVitals, type VitalsCheck } from '../../src/leader/vitals.ts';
import type { Vitals } from '../../src/model/index.ts';

const LONGEST = 60_000;
const check = (at: number, more: Partial<VitalsCheck> = {}): VitalsCheck => ({
  at,
  beat: 'a',
  unhealthy: false,
  usage: { cpu_seconds: 1, memory_bytes: 5, pids: 2 },
  ...more,
});
const cpu = (cpu_seconds: number) => ({ usage: { cpu_seconds } });

/** The vitals after these checks, one after the other. */
function after(...checks: VitalsCheck[]): Vitals {
  let watched: { check: VitalsCheck; vitals: Vitals } | undefined;
  for (const one of checks) watched = { check: one, vitals: updateVitals(watched, one, LONGEST) };
  return watched?.vitals as Vitals;
}

test.each<[string, VitalsCheck[], Partial<Vitals>]>([
  ['the first check counts nothing', [check(0)], { quiet_ms: 0, stuck_ms: 0 }],
  [
    'a body that stands still is quiet and stuck',
    [check(0), check(30_000), check(60_000)],
    { quiet_ms: 60_000, stuck_ms: 60_000, cpu_percent: 0, memory_bytes: 5, pids: 2 },
  ],
  ['a heartbeat ends the quiet', [check(0), check(9000), check(9500, { beat: 'b' })], { quiet_ms: 0 }],
  ['so does one that is lost', [check(0), check(9000, { beat: null })], { quiet_ms: 0 }],
  ['any CPU ends the standstill', [check(0), check(9000), check(9500, cpu(1.001))], { stuck_ms: 0 }],
  ['so does a sum that falls, for a child has ended', [check(0), check(9000, cpu(0.5))], { stuck_ms: 0 }],
  ['a missing figure is not a standstill', [check(0), check(9000, { usage: {} })], { stuck_ms: 0 }],
  [
    'a body that its engine calls unhealthy is stuck however much it works',
    [check(0, { unhealthy: true }), check(9000, { ...cpu(5), unhealthy: true })],
    { stuck_ms: 9000, unhealthy: true },
  ],
  [
    'once unhealthy is not yet stuck',
    [check(0), check(9000, { ...cpu(5), unhealthy: true })],
    { stuck_ms: 0 },
  ],
  ['CPU is a share of one core', [check(0), check(10_000, cpu(16))], { cpu_percent: 150 }],
  ['CPU never is negative', [check(0), check(10_000, cpu(0.2))], { cpu_percent: 0 }],
  [
    'an unwatched pause counts no more than it may',
    [check(0), check(3_600_000)],
    { quiet_ms: LONGEST, stuck_ms: LONGEST },
  ],
])('%s', (_, checks, expected) => {
  expect(after(...checks)).toMatchObject(expected);
});

test('a body that works, or whose wrapper reports, between checks is never inactive and silent', () => {
  const step = fc.record({ ms: fc.integer({ min: 1, max: 120_000 }), works: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 50 }), (steps) => {
      let at = 0;
      let seconds = 0;
      let beat = 0;
      const checks = steps.map(({ ms, works }) => {
        at += ms;
        if (works) seconds += 0.001;
        else beat += 1;
        return check(at, { ...cpu(seconds), beat: String(beat) });
      });
      const { quiet_ms, stuck_ms } = after(...checks);
      expect(Math.min(quiet_ms, stuck_ms)).toBe(0);
    }),
  );
});
