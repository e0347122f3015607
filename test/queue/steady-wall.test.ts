import { expect, test } from 'vitest';
import { SteadyWall } from '../../src/queue/steady-wall.ts';

const HOUR = 3_600_000;
const START = Date.parse('2030-01-01T00:00:00Z');

/** The clocks of one machine, and of its Redis. */
function machine(redisAhead = 0) {
  const at = { wall: START, monotonic: 5000, uptime: 90 };
  const clock = new SteadyWall({
    wall: () => at.wall,
    monotonic: () => at.monotonic,
    uptime: () => at.uptime,
  });
  const pass = (ms: number) => {
    at.wall += ms;
    at.monotonic += ms;
    at.uptime += ms / 1000;
  };
  return { at, clock, pass, redis: async () => at.wall + redisAhead };
}

test('it advances by elapsed time, whichever way the clock of the machine is set', () => {
  const { at, clock, pass } = machine();
  for (const jump of [2 * HOUR, -5 * HOUR, 400 * 24 * HOUR]) {
    const before = clock.now();
    at.wall += jump;
    pass(1000);
    expect(clock.check()).toBe(jump);
    expect(clock.now() - before).toBe(1000);
    expect(clock.check(), 'reported once').toBeUndefined();
  }
});

test('a clock that drifts or is slewed is not a jump', () => {
  const { at, clock, pass } = machine();
  for (let second = 0; second < 60; second += 1) {
    pass(1000);
    at.wall += 1;
    expect(clock.check()).toBeUndefined();
  }
});

test('the time in which the machine was suspended counts', () => {
  const { at, clock, pass } = machine();
  // The monotonic clock stands still, the others advance.
  at.wall += 8 * HOUR;
  at.uptime += (8 * HOUR) / 1000;
  pass(1000);
  expect(clock.check(), 'no clock was set').toBeUndefined();
  expect(clock.now()).toBe(START + 8 * HOUR + 1000);
  at.uptime += 1;
  expect(clock.check(), 'some report uptime in whole seconds').toBeUndefined();
  expect(clock.now()).toBe(START + 8 * HOUR + 1000);
});

test('managers on machines whose clocks differ count from the time of Redis', async () => {
  const { at, clock, pass, redis } = machine(-2 * HOUR);
  expect(await clock.anchor(redis), 'this machine is ahead').toBe(2 * HOUR);
  expect(clock.now()).toBe(START - 2 * HOUR);
  pass(1000);
  expect(clock.check()).toBeUndefined();
  // Redis is read only once, so a later jump of its clock shortens no wait either.
  at.wall += HOUR;
  expect(await clock.anchor(redis)).toBeUndefined();
  expect(clock.now()).toBe(START - 2 * HOUR + 1000);
});

test('the clock of the machine is used until Redis responds, which is retried', async () => {
  const { clock, redis } = machine(HOUR);
  await expect(clock.anchor(async () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(clock.now()).toBe(START);
  expect(await clock.anchor(redis)).toBe(-HOUR);
  expect(clock.now()).toBe(START + HOUR);
});
