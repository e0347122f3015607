import { expect, test, vi } from 'vitest';
import { closeInOrder } from '../../src/manager/close-in-order.ts';

test('a part that cannot be closed keeps no other part open', async () => {
  const closed: string[] = [];
  const error = vi.fn();
  const err = new Error('gone');
  const parts = {
    one: () => closed.push('one'),
    two: () => Promise.reject(err),
    three: async () => closed.push('three'),
  };
  await closeInOrder(parts, { error });
  expect(closed).toEqual(['one', 'three']);
  expect(error.mock.calls).toEqual([[{ err, part: 'two' }, 'failed to close a part of the manager']]);
});
