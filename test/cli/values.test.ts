import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { parseCount, parseNumber, parseSeconds } from '../../src/cli/values.ts';

test.each<[(text: string) => number, string, number]>([
  [parseSeconds, ' 90s ', 90],
  [parseSeconds, '3650d', 3650 * 86_400],
  [parseNumber, '1.5', 1.5],
  [parseCount, '0', 0],
])('%#: %j is read', (parse, text, value) => {
  expect(parse(text)).toBe(value);
});

const TIME = 'It must be seconds, or a time such as 90s, 5m, 2h or 7d, from 0 to 315360000 seconds.';

test.each<[(text: string) => number, string, string]>([
  [parseSeconds, '3651d', TIME],
  [parseSeconds, 'soon', TIME],
  [parseNumber, '1e3', 'It must be a number from 0 to 1000000000.'],
  [parseCount, '1.5', 'It must be a whole number from 0 to 1000000000.'],
  [parseCount, '99999999999', 'It must be a whole number from 0 to 1000000000.'],
])('%#: %j is refused with what is allowed', (parse, text, message) => {
  expect(() => parse(text)).toThrow(new InvalidArgumentError(message));
});
