import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headOf, tailOf } from '../../src/model/cut.ts';

test('a text is cut between characters, and as little as that takes', () => {
  const text = fc.string({ unit: 'binary', maxLength: 30 });
  fc.assert(
    fc.property(text, fc.nat(40), (given, most) => {
      const [head, tail] = [headOf(given, most), tailOf(given, most)];
      expect([head.isWellFormed(), tail.isWellFormed()]).toEqual([true, true]);
      expect(given.startsWith(head) && given.endsWith(tail)).toBe(true);
      const least = Math.min(given.length, most) - 1;
      expect([head.length, tail.length].every((length) => length <= most && length >= least)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test('half a character of others is replaced', () => {
  expect([headOf('a\ud83d', 5), tailOf('\ude00b', 5)]).toEqual(['a\ufffd', '\ufffdb']);
  expect([headOf('a😀', 2), tailOf('😀b', 2), tailOf('😀b', 0)]).toEqual(['a', 'b', '']);
});
