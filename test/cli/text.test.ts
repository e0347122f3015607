import { expect, test } from 'vitest';
import { fields, table } from '../../src/cli/table.ts';
import { age, ageOf, oneLine } from '../../src/cli/text.ts';

test('one line is one line, and not endless', () => {
  expect(oneLine(' a\n\n b\u001b[2K ')).toBe('a b');
  expect(oneLine('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`);
});

test.each([
  [-5, '0s'],
  [0, '0s'],
  [119_999, '119s'],
  [120_000, '2m'],
  [200_000, '3m20s'],
  [900_000, '15m'],
  [3_600_000, '1h'],
  [7_500_000, '2h5m'],
  [86_400_000, '1d'],
  [97_200_000, '1d3h'],
  [30 * 86_400_000, '30d'],
])('%i ms are %s old', (ms, text) => {
  expect(age(ms)).toBe(text);
});

test('a value that is not an instant has no age', () => {
  expect(ageOf(undefined, 0)).toBe('-');
  expect(ageOf('soon', 0)).toBe('-');
  expect(ageOf('1970-01-01T00:00:00Z', 5000)).toBe('5s');
});

test('a table has columns as wide as they need, and nothing after the last', () => {
  expect(
    table(
      ['ID', 'NAME', 'WHY'],
      [
        ['abc', '', ''],
        ['d', 'longer', 'two\nlines'],
      ],
    ),
  ).toBe(['ID    NAME     WHY', 'abc   -        -', 'd     longer   two lines'].join('\n'));
  expect(table(['ID', 'NAME'], [])).toBe('ID   NAME');
});

test('fields leave out what is not there', () => {
  expect(
    fields([
      ['Id', 'x'],
      ['Name', undefined],
      ['Longer', 0],
    ]),
  ).toBe('Id       x\nLonger   0');
  expect(fields([])).toBe('');
});
