import { expect, test } from 'vitest';
import { createLease, type LeaseStore } from '../../src/queue/lease.ts';
import { createHangDetector, TICK_MS } from '../../src/watchdog/hang.ts';
import { leaseWhileAlive } from '../../src/watchdog/lease-while-alive.ts';
import { watchedHealth } from '../../src/watchdog/watched-health.ts';
import { FakeClock } from '../queue/fake-clock.ts';

function watch(hangMs = 5 * TICK_MS) {
  const state = { beats: 0n, now: 0 };
  const detector = createHangDetector({ beats: () => state.beats, now: () => state.now, hangMs });
  const passes = (ticks: number, { beating = false, each = TICK_MS } = {}) => {
    for (let tick = 0; tick < ticks; tick += 1) {
      state.now += each;
      if (beating) state.beats += 1n;
      detector.tick();
    }
  };
  return { detector, passes };
}

test('a loop that beats is never hung, and a silent one is hung after the limit', () => {
  const { detector, passes } = watch();
  passes(20, { beating: true });
  expect([detector.quietMs(), detector.hung()]).toEqual([0, false]);
  passes(4);
  expect([detector.quietMs(), detector.hung()]).toEqual([4 * TICK_MS, false]);
  passes(1);
  expect(detector.hung()).toBe(true);
  passes(1, { beating: true });
  expect([detector.quietMs(), detector.hung()]).toEqual([0, false]);
});

test('a process that was stopped for an hour does not count as hung', () => {
  const { detector, passes } = watch();
  passes(1, { each: 3_600_000 });
  expect(detector.hung()).toBe(false);
});

test('a hung loop is not live and not ready, and a busy one is reported', () => {
  const report = { live: true, ready: true, checks: { redis: { ok: true, message: 'answers' } } };
  const health = (quiet: number) =>
    watchedHealth(report, { quietMs: () => quiet, hung: () => quiet >= 30_000 });
  expect(health(4999)).toEqual(report);
  expect(health(12_000)).toMatchObject({ live: true, ready: true, checks: { loop: { ok: true } } });
  expect(health(12_000).checks.loop?.message).toMatch(/^has been blocked for 12 s/);
  expect(health(30_000)).toMatchObject({ live: false, ready: false, checks: { loop: { ok: false } } });
});

test('a leader that is hung gives its lease up, and takes none until it moves again', async () => {
  const clock = new FakeClock();
  let hung = false;
  const called: string[] = [];
  const store: LeaseStore = {
    acquire: async () => called.push('acquire'),
    renew: async () => called.push('renew') > 0,
    release: async () => void called.push('release'),
  };
  const events: string[] = [];
  const lease = createLease({
    store: leaseWhileAlive(store, () => hung),
    owner: 'me',
    ttlMs: 9000,
    clock,
    onAcquired: (epoch) => events.push(`acquired ${epoch}`),
    onLost: () => events.push('lost'),
  });
  lease.start();
  await clock.advance(3000);
  expect(called).toEqual(['acquire', 'renew']);
  hung = true;
  await clock.advance(20_000);
  expect(called).toEqual(['acquire', 'renew', 'release']);
  expect(events).toEqual(['acquired 1', 'lost']);
  hung = false;
  await clock.advance(1000);
  expect(events).toEqual(['acquired 1', 'lost', 'acquired 4']);
});
