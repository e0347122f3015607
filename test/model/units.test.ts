import { expect, test } from 'vitest';
import { parseSeconds } from '../../src/cli/values.ts';
import { parseDuration, poolSpec } from '../../src/model/index.ts';

const inPool = (max_job_time: unknown) =>
  poolSpec.safeParse({ name: 'jobs', count: 1, max_job_time }).data?.max_job_time;

test.each([
  ['90', 90],
  ['90s', 90],
  ['1.5m', 90],
  ['2h', 7200],
  ['7d', 604_800],
  ['365d', 31_536_000],
])('the command line and a pool’s file take the same durations: %s', (text, wanted) => {
  expect(parseDuration(text)).toBe(wanted);
  expect(parseSeconds(text)).toBe(wanted);
  expect(inPool(text)).toBe(wanted);
});

test.each(['', 'd', '7 d', '-1s', '1w', '1e3', '0x10', '1.5.5m', 'NaN', '9'.repeat(400)])(
  'an invalid duration is refused by both: %j',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
    expect(() => parseSeconds(text)).toThrow(/seconds, or a time such as 90s, 5m, 2h or 7d/);
    expect(inPool(text)).toBeUndefined();
  },
);

test('more than a year, or nothing at all, is not a time for a task', () => {
  expect([inPool('366d'), inPool('0s'), inPool(0)]).toEqual([undefined, undefined, undefined]);
});
