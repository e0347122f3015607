import { expect, test } from 'vitest';
import { InputPosition } from '../../../worker-base/streams/input-position.ts';

test('the place moves only over entries that are dealt with, in their order', () => {
  const position = new InputPosition(undefined);
  expect(['1-0', '1-1', '2-0'].map((id) => position.take(id))).toEqual(['new', 'new', 'new']);
  position.finish('1-1');
  expect(position.passed).toBeUndefined();
  position.finish('1-0');
  expect(position.passed).toBe('1-1');
  position.finish('2-0');
  expect(position.passed).toBe('2-0');
});

test('what comes again is neither answered twice nor lost', () => {
  const position = new InputPosition('5-1');
  expect([position.take('5-0'), position.take('5-1'), position.take('5-2')]).toEqual(['done', 'done', 'new']);
  expect([position.take('10-0'), position.take('5-2')]).toEqual(['new', 'held']);
  position.finish('10-0');
  expect(position.take('10-0')).toBe('done');
  expect(position.passed).toBe('5-1');
});

test('another stream under the same name starts again', () => {
  const position = new InputPosition('100-0');
  expect([position.isOf('100-0'), position.isOf('200-0'), position.isOf('0-0')]).toEqual([true, true, false]);
  position.forget();
  expect(position.take('3-0')).toBe('new');
});
