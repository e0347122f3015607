import { expect, test } from 'vitest';
import { DenialCounter } from '../../src/reconcile/denials.ts';

const beat = (denied: number, incarnation = 1) => ({ incarnation, denied });

test('counts each denial once, even if a heartbeat is read twice or arrives late', () => {
  const denials = new DenialCounter();
  const counted = [2, 2, 5, 4, 5].map((denied) => denials.note('w', beat(denied), false));
  expect(counted).toEqual([2, 0, 3, 0, 0]);
});

test('counts on with the next incarnation, whose count restarts', () => {
  const denials = new DenialCounter();
  denials.note('w', beat(5), false);
  expect(denials.note('w', beat(1, 2), false)).toBe(1);
});

test('does not count again what an earlier manager has counted', () => {
  const denials = new DenialCounter();
  expect(denials.note('w', beat(5), true)).toBe(0);
  expect(denials.note('w', beat(6), true)).toBe(1);
});

test('treats a heartbeat without the count as zero', () => {
  expect(new DenialCounter().note('w', { incarnation: 1 }, false)).toBe(0);
});
