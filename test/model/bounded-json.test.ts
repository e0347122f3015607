import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findJsonExcess, holdsMoreThan } from '../../src/model/values/bounded-json.ts';

const within = { depth: 3, values: 6 };

test.each<[string, string | undefined]>([
  ['[[[1]]]', undefined],
  ['[[[[1]]]]', 'is nested too deeply: it has more than 3 levels'],
  ['{"a":{"b":{"c":[]}}}', 'is nested too deeply: it has more than 3 levels'],
  ['[1,2,3,4]', undefined],
  ['[1,2,3,4,5,6]', 'has more than 6 values'],
  ['[[],[]]', undefined],
  ['[[],[],[],[]]', 'has more than 6 values'],
  ['["[[[[", "]]]]", ",,,,,,,,"]', undefined],
  ['["\\"[[[[", "\\\\", 1]', undefined],
  ['["\\\\\\"[[[[,,,,,,,"]', undefined],
  ['["never ends [[[[', undefined],
  [']]]][[[', undefined],
])('%s', (text, excess) => {
  expect(findJsonExcess(text, within)).toBe(excess);
});

test('a text of ten million levels is refused without recursion', () => {
  expect(findJsonExcess('['.repeat(1e7), { depth: 200, values: 1e9 })).toMatch(/nested too deeply/);
});

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner)))
    : 0;
const countOf = (value: unknown): number =>
  1 +
  (typeof value === 'object' && value !== null
    ? Object.values(value).reduce((sum: number, inner) => sum + countOf(inner), 0)
    : 0);

test('any JSON passes by its own depth, and not by one less; a value counts at least as what it holds', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.boolean(), (value, pretty) => {
      const text = JSON.stringify(value, null, pretty ? 2 : 0);
      const [depth, values] = [depthOf(value), countOf(value)];
      // An empty list counts one for the value that it could hold.
      expect(findJsonExcess(text, { depth, values: 2 * values })).toBe(undefined);
      if (depth > 0) expect(findJsonExcess(text, { depth: depth - 1, values: 1e9 })).toMatch(/deeply/);
      if (values > 1) expect(findJsonExcess(text, { depth, values: values - 1 })).toMatch(/values/);
      expect([holdsMoreThan(values, value), holdsMoreThan(values - 1, value)]).toEqual([false, true]);
    }),
  );
});
