import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DelayedKeys } from '../../src/queue/delayed-keys.ts';

test('takes the keys in the order of their times, each at its earliest', () => {
  const puts = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 30 }).map(String), fc.integer({ min: 0, max: 1000 })),
  );
  fc.assert(
    fc.property(puts, (pairs) => {
      const keys = new DelayedKeys();
      const model = new Map<string, number>();
      for (const [key, due] of pairs) {
        keys.put(key, due);
        model.set(key, Math.min(due, model.get(key) ?? due));
      }
      expect(keys.size).toBe(model.size);
      const times: (number | undefined)[] = [];
      for (let earliest = keys.earliest; earliest !== undefined; earliest = keys.earliest) {
        expect(keys.takeDue(earliest - 1)).toBeUndefined();
        const key = keys.takeDue(earliest) ?? '';
        expect(model.get(key)).toBe(earliest);
        model.delete(key);
        times.push(earliest);
      }
      expect(model.size).toBe(0);
      expect(times).toEqual([...times].sort((one, other) => Number(one) - Number(other)));
    }),
  );
});

test('a key that is delayed far and near in turn leaves nothing behind', () => {
  const keys = new DelayedKeys();
  for (let round = 0; round < 1000; round += 1) {
    keys.put('a', 1_000_000 + round);
    keys.put('a', round);
    expect(keys.takeDue(round)).toBe('a');
  }
  expect(keys.size).toBe(0);
});
