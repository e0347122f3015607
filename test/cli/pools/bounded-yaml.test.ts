import { expect, test } from 'vitest';
import { findYamlExcess } from '../../../src/cli/pools/bounded-yaml.ts';
import { readPools } from '../../../src/cli/pools/pool-file.ts';

const keys = (count: number) => Array.from({ length: count }, (_, at) => `k${at}: 1`);
const nested = (levels: number) =>
  Array.from({ length: levels }, (_, at) => `${' '.repeat(at)}a:`).join('\n');

test.each([
  ['300,000 keys', keys(300_000).join('\n')],
  ['300,000 keys on one line', `{${keys(300_000).join(', ')}}`],
  ['300,000 items', '- &a x\n'.repeat(300_000)],
  ['300,000 documents', '---\n'.repeat(300_000)],
  ['300,000 lists in one another', '['.repeat(300_000)],
  ['300,000 lists in one another, on one line', '- '.repeat(300_000)],
  ['10 million characters', `a: ${'x'.repeat(1e7)}`],
])('%s are refused before they are read', (_, text) => {
  const began = performance.now();
  expect(() => readPools(text, 'pools.yaml')).toThrow(
    /cannot be applied: it (has more than|is nested too deeply)/,
  );
  // The rest of it is not looked at; reading it took a minute.
  expect(performance.now() - began).toBeLessThan(10_000);
});

test('what a person writes is far within the bounds', () => {
  const long = Array.from({ length: 50_000 }, (_, at) => `  - {note ${at}: [, "x`).join('\n');
  expect(findYamlExcess(`instructions: |\n${long}\nname: a\n`)).toBeUndefined();
  expect(findYamlExcess(keys(5000).join('\n'))).toBeUndefined();
});

test('ten thousand keys are read, and the one that is there twice is found, in time that grows with their number', () => {
  const text = [...keys(10_000), 'name: a', 'k7: 2'].join('\n');
  const began = performance.now();
  expect(() => readPools(text, 'pools.yaml')).toThrow(/pools\.yaml:10002: Map keys must be unique$/);
  // 3 s where each is compared with each, and four times as much for twice as many.
  expect(performance.now() - began).toBeLessThan(10_000);
});

test('an error does not grow with what is wrong', () => {
  const text = ['name: a', 'count: 1', ...keys(5000)].join('\n');
  expect(() => readPools(text, 'pools.yaml')).toThrow(/\n {2}and 4950 more$/);
});

test('maps in one another are read or refused, and not by a crash', () => {
  expect(() => readPools(nested(2500), 'pools.yaml')).toThrow(/is not a known field|cannot be applied/);
});
