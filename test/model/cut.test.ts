import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeHead, takeTail } from '../../src/model/values/cut.ts';

test('a text is cut between characters, and as little as that takes', () => {
  const text = fc.string({ unit: 'binary', maxLength: 30 });
  fc.assert(
    fc.property(text, fc.nat(40), (given, most) => {
      const [head, tail] = [takeHead(given, most), takeTail(given, most)];
      expect([head.isWellFormed(), tail.isWellFormed()]).toEqual([true, true]);
      expect(given.startsWith(head) && given.endsWith(tail)).toBe(true);
      const least = Math.min(given.length, most) - 1;
      expect([head.length, tail.length].every((length) => length <= most && length >= least)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test('half a character of others is replaced', () => {
  expect([takeHead('a\ud83d', 5), takeTail('\ude00b', 5)]).toEqual(['a\ufffd', '\ufffdb']);
  expect([takeHead('a😀', 2), takeTail('😀b', 2), takeTail('😀b', 0)]).toEqual(['a', 'b', '']);
});
