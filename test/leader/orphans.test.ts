import { expect, test } from 'vitest';
import { findOrphans, type OrphanObservation } from '../../src/leader/orphans.ts';
import { bodyOf, NOW } from '../reconcile/observation.ts';

const body = (name: string, age_ms = 60_000) =>
  bodyOf({ id: `body-of-${name}`, worker_id: name, created_at: NOW - age_ms });
const around = (more: Partial<OrphanObservation>): OrphanObservation => ({
  bodies: [],
  known: (id) => id.startsWith('known'),
  suspects: new Set(more.bodies?.map(({ id }) => id)),
  now: NOW,
  grace_ms: 30_000,
  remembers_since: NOW - 3_600_000,
  breaker_share: 0.5,
  ...more,
});
const many = (count: number, name: string) => Array.from({ length: count }, (_, n) => body(`${name}-${n}`));

test.each<[string, Partial<OrphanObservation>, { removed?: number; restored?: number; held_back?: number }]>([
  ['leaves what has a record', { bodies: [body('known')] }, {}],
  ['removes an orphan that was one before, too', { bodies: [body('orphan')] }, { removed: 1 }],
  ['waits for a second look', { bodies: [body('orphan')], suspects: new Set() }, {}],
  [
    'waits for a second look at this very body',
    { bodies: [body('orphan')], suspects: new Set(['other']) },
    {},
  ],
  ['leaves one whose record may be on its way', { bodies: [body('orphan', 29_999)] }, {}],
  ['removes one as soon as the grace is over', { bodies: [body('orphan', 30_000)] }, { removed: 1 }],
  [
    'gives one from before the memory of the store its record back',
    { bodies: [body('orphan')], remembers_since: NOW - 59_999 },
    { restored: 1 },
  ],
  [
    'counts what is as old as the store to its memory',
    { bodies: [body('o')], remembers_since: NOW - 60_000 },
    { removed: 1 },
  ],
  ['leaves one from a clock ahead of ours', { bodies: [body('orphan', -5000)] }, {}],
  ['removes three, whatever their share', { bodies: many(3, 'orphan') }, { removed: 3 }],
  ['holds back four of four', { bodies: many(4, 'orphan') }, { held_back: 4 }],
  ['removes four of eight', { bodies: [...many(4, 'orphan'), ...many(4, 'known')] }, { removed: 4 }],
  ['holds back five of nine', { bodies: [...many(5, 'orphan'), ...many(4, 'known')] }, { held_back: 5 }],
  ['holds back nothing where all may go', { bodies: many(9, 'orphan'), breaker_share: 1 }, { removed: 9 }],
  ['holds back four where none may go', { bodies: many(4, 'orphan'), breaker_share: 0 }, { held_back: 4 }],
  [
    'holds back even one of many where none may go',
    { bodies: [...many(1, 'orphan'), ...many(9, 'known')], breaker_share: 0 },
    { held_back: 1 },
  ],
  ['holds back nothing where none may go and none would', { bodies: many(3, 'known'), breaker_share: 0 }, {}],
  ['sees nothing in an empty world', {}, {}],
])('%s', (_, more, { removed = 0, restored = 0, held_back = 0 }) => {
  const swept = findOrphans(around(more));
  expect([swept.remove.length, swept.before_memory.length, swept.held_back.length]).toEqual([
    removed,
    restored,
    held_back,
  ]);
});

test('only current orphans are candidates of the next sweep', () => {
  const { suspects } = findOrphans(
    around({ bodies: [body('known'), body('orphan', 1)], suspects: new Set(['gone']) }),
  );
  expect([...suspects]).toEqual(['body-of-orphan']);
});
