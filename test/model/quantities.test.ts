/** What users may write for a number, and the error if it is wrong. */
import { expect, test } from 'vitest';
import { countIn, durationIn, numberIn, type Quantity, sizeFrom } from '../../src/model/index.ts';

const number = numberIn([0.1, 10], 'seconds');
const count = countIn([1, 256]);
const duration = durationIn([0, 86_400]);
const size = sizeFrom('6m');

test.each<[Quantity, string, number | undefined]>([
  [number, '0.1', 0.1],
  [number, '10', 10],
  [number, ' 10', undefined],
  [number, '10.000000001', undefined],
  [number, '0.09', undefined],
  [number, '1e1', undefined],
  [number, '-1', undefined],
  [number, '', undefined],
  [number, 'NaN', undefined],
  [number, '1'.repeat(16), undefined],
  [count, '256', 256],
  [count, '1.0', 1],
  [count, '1.5', undefined],
  [count, '0', undefined],
  [count, '257', undefined],
  [duration, '90', 90],
  [duration, '1.5m', 90],
  [duration, '1d', 86_400],
  [duration, '25h', undefined],
  [duration, '1 week', undefined],
  [size, '6m', 6 * 1024 ** 2],
  [size, '1.5g', 1.5 * 1024 ** 3],
  [size, '5m', undefined],
  [size, '9'.repeat(30), undefined],
])('%#: %j is %j', (quantity, text, value) => {
  expect(quantity.parse(text)).toBe(value);
});

test('each error names what is allowed', () => {
  expect([number, count, duration, size].map(({ allowed }) => allowed)).toEqual([
    'a number of seconds from 0.1 to 10',
    'a whole number from 1 to 256',
    'seconds, or a time such as 90s, 5m, 2h or 7d, from 0 to 86400 seconds',
    'a size of at least 6m, such as "512m"',
  ]);
});
