import { expect, test } from 'vitest';
import { findHazards, type RedisFacts } from '../../src/store/index.ts';

const sound: RedisFacts = { policy: 'noeviction', maxmemory: 1_000_000, appendonly: true, save: '' };

test.each<[string, Partial<RedisFacts>, string, string]>([
  ['a sound one', {}, 'no', 'no'],
  ['one that evicts', { policy: 'allkeys-lru' }, 'yes', 'no'],
  ['one that evicts what expires, such as the lease', { policy: 'volatile-ttl' }, 'yes', 'no'],
  ['one that would evict, and has no limit', { policy: 'allkeys-lru', maxmemory: 0 }, 'no', 'no'],
  ['one with snapshots alone', { appendonly: false, save: '3600 1' }, 'no', 'no'],
  ['one that persists nothing', { appendonly: false, save: '' }, 'no', 'yes'],
  ['one whose CONFIG is forbidden', { save: undefined }, 'no', 'no'],
  [
    'one whose CONFIG is forbidden, without appendonly',
    { appendonly: false, save: undefined },
    'no',
    'unknown',
  ],
  [
    'one that reports nothing',
    { policy: undefined, maxmemory: undefined, appendonly: undefined, save: undefined },
    'unknown',
    'unknown',
  ],
])('%s', (_, facts, eviction, persistence) => {
  const found = findHazards({ ...sound, ...facts });
  expect(found.map(({ present }) => present)).toEqual([eviction, persistence]);
  for (const { present, message } of found) expect(message === undefined).toBe(present === 'no');
});
