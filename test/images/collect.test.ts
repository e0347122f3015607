import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  COLLECTION_GRACE_MS,
  type CollectionCandidate,
  selectRemovals,
  totalBytes,
} from '../../src/images/collect.ts';

const DAY = 86_400_000;
const NOW = 100 * DAY;

/** An image of 100 bytes of its own on a base of 1000, used `days` days ago and created a day before. */
function image(name: string, days: number, more: Partial<CollectionCandidate> = {}): CollectionCandidate {
  return {
    name,
    layers: [
      { id: 'base', bytes: 1000 },
      { id: name, bytes: 100 },
    ],
    created_at: NOW - (days + 1) * DAY,
    last_used_at: NOW - days * DAY,
    in_use: false,
    held: false,
    pinned: false,
    ...more,
  };
}

const names = (images: CollectionCandidate[], rules: { retentionDays?: number; budgetBytes?: number } = {}) =>
  selectRemovals(images, { now: NOW, retentionDays: 7, budgetBytes: undefined, ...rules }).map(
    ({ name }) => name,
  );

test.each<[string, string[], CollectionCandidate[], { retentionDays?: number; budgetBytes?: number }]>([
  ['nothing', [], [], {}],
  ['what was used within the retention stays', [], [image('a', 0), image('b', 7)], {}],
  ['what was not goes, oldest first', ['b', 'a'], [image('a', 8), image('b', 9), image('c', 1)], {}],
  [
    'a retention of 0 keeps images that are used right now',
    ['a'],
    [image('a', 0.1), image('b', 0)],
    { retentionDays: 0 },
  ],
  ['in use stays', [], [image('a', 30, { in_use: true })], { budgetBytes: 0 }],
  ['held stays', [], [image('a', 30, { held: true })], { budgetBytes: 0 }],
  ['what has another name stays', [], [image('a', 30, { pinned: true })], { budgetBytes: 0 }],
  [
    'what is young stays',
    [],
    [image('a', 30, { created_at: NOW - COLLECTION_GRACE_MS + 1 })],
    { budgetBytes: 0 },
  ],
  [
    'an image that is just old enough is removed',
    ['a'],
    [image('a', 0, { created_at: NOW - COLLECTION_GRACE_MS })],
    { budgetBytes: 0 },
  ],
  ['within the budget all stay', [], [image('a', 3), image('b', 2), image('c', 1)], { budgetBytes: 1300 }],
  ['a shared layer counts once', ['a'], [image('a', 3), image('b', 2), image('c', 1)], { budgetBytes: 1299 }],
  [
    'the least recently used are removed first',
    ['c', 'a'],
    [image('a', 2), image('b', 1), image('c', 3)],
    { budgetBytes: 1100 },
  ],
  [
    'with equal last use, the older is removed first',
    ['b'],
    [image('a', 2), image('b', 2, { created_at: 0 })],
    { budgetBytes: 1100 },
  ],
  [
    'used images count toward the budget',
    ['b', 'c'],
    [image('a', 9, { in_use: true }), image('b', 2), image('c', 1)],
    { budgetBytes: 1100 },
  ],
  [
    'images removed by age are not counted for the budget again',
    ['a'],
    [image('a', 9), image('b', 2)],
    { budgetBytes: 1100 },
  ],
])('%s', (_, expected, images, rules) => {
  expect(names(images, rules)).toEqual(expected);
});

test('each removal has its reason', () => {
  const images = [image('a', 8), image('b', 1), image('c', 0)];
  expect(selectRemovals(images, { now: NOW, retentionDays: 7, budgetBytes: 1100 })).toEqual([
    { name: 'a', why: 'not used for 8 days' },
    { name: 'b', why: 'least recently used, and the total size exceeds IMAGE_BUDGET' },
  ]);
});

test('bytes count each layer once', () => {
  expect(totalBytes([])).toBe(0);
  expect(totalBytes([image('a', 0), image('b', 0)])).toBe(1200);
});

test('for any images: needed ones stay, none is removed twice, and the rest fits unless none is removable', () => {
  const some = fc.record({
    days: fc.integer({ min: 0, max: 20 }),
    in_use: fc.boolean(),
    held: fc.boolean(),
    pinned: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(some, { maxLength: 12 }),
      fc.integer({ min: 0, max: 2500 }),
      (drawn, budgetBytes) => {
        const images = drawn.map(({ days, ...marks }, at) => image(`i${at}`, days, marks));
        const gone = new Set(names(images, { budgetBytes }));
        const kept = images.filter(({ name }) => !gone.has(name));
        const needed = images.filter(({ in_use, held, pinned }) => in_use || held || pinned);
        expect(needed.filter(({ name }) => gone.has(name))).toEqual([]);
        expect(totalBytes(kept) <= budgetBytes || kept.length === needed.length).toBe(true);
        // No image that stays was used earlier than one removed only for the budget.
        const last = Math.max(
          0,
          ...images.filter(({ name }) => gone.has(name)).map((one) => one.last_used_at),
        );
        const free = kept.filter((one) => !needed.includes(one));
        expect(free.every((one) => one.last_used_at >= last)).toBe(true);
      },
    ),
  );
});
