import { expect, test } from 'vitest';
import { formatFields, formatTable } from '../../../src/cli/print/table.ts';
import { formatAge, formatAgeSince, toOneLine } from '../../../src/cli/print/text.ts';

test('one line is one line, and not endless', () => {
  expect(toOneLine(' a\n\n b\u001b[2K ')).toBe('a b');
  expect(toOneLine('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`);
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
  expect(formatAge(ms)).toBe(text);
});

test('a value that is not an instant has no age', () => {
  expect(formatAgeSince(undefined, 0)).toBe('-');
  expect(formatAgeSince('soon', 0)).toBe('-');
  expect(formatAgeSince('1970-01-01T00:00:00Z', 5000)).toBe('5s');
});

test('a table has columns as wide as they need, and nothing after the last', () => {
  expect(
    formatTable(
      ['ID', 'NAME', 'WHY'],
      [
        ['abc', '', ''],
        ['d', 'longer', 'two\nlines'],
      ],
    ),
  ).toBe(['ID    NAME     WHY', 'abc   -        -', 'd     longer   two lines'].join('\n'));
  expect(formatTable(['ID', 'NAME'], [])).toBe('ID   NAME');
});

test('a table fits a terminal: the longest texts are cut, and never the ID', () => {
  const id = '0b0e7f3e-000';
  const rows = [[id, 'a-rather-long-name', 'RUNNING', 'a message that is very, very long']];
  const names = ['ID', 'NAME', 'STATUS', 'MESSAGE'];
  for (const width of [80, 60, 50, 45]) {
    const lines = formatTable(names, rows, width).split('\n');
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(width);
    expect(lines[1]).toContain(id);
    expect(lines[1]).toContain('RUNNING');
  }
  expect(formatTable(names, rows, 60).split('\n')[1]).toBe(
    `${id}   a-rather-long-name   RUNNING   a message tha…`,
  );
  // Below the narrowest widths, a terminal wraps.
  expect(formatTable(names, rows, 20).split('\n')[1]).toBe(`${id}   a-rathe…   RUNNING   a messa…`);
  expect(formatTable(names, rows)).toContain('is very, very long');
});

test('fields leave out what is not there', () => {
  expect(
    formatFields([
      ['Id', 'x'],
      ['Name', undefined],
      ['Longer', 0],
    ]),
  ).toBe('Id       x\nLonger   0');
  expect(formatFields([])).toBe('');
});
