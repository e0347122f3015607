import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nestsDeeperThan } from '../../src/agents/nesting.ts';
import { isDeeperThan } from '../../src/model/values/json-depth.ts';

test('the depth of a text equals that of its value', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), fc.nat(10), (text, levels) => {
      expect(nestsDeeperThan(levels, text)).toBe(isDeeperThan(levels, JSON.parse(text)));
    }),
    { numRuns: 1000 },
  );
});

test('brackets in strings do not count, even after escapes', () => {
  expect(nestsDeeperThan(1, JSON.stringify({ a: '[[[[\\', b: '"[[[["' }))).toBe(false);
  expect(nestsDeeperThan(1, '"[[[[')).toBe(false);
  expect(nestsDeeperThan(1, `"\\\\"${'['.repeat(2)}`)).toBe(true);
});
