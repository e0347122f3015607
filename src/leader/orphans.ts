/**
 * What to do about bodies that belong to no worker. Pure: it only sorts them.
 *
 * An orphan is removed only when it is older than the grace (its record may be on its way), was an orphan at the
 * list before, too, and is younger than the store: what is older than the store's own memory is a worker that the
 * store has lost, and gets its record back. A sweep that would remove a large share of all bodies removes none.
 */
import type { Body } from '../model/index.ts';

/** So few orphans are swept whatever their share; with two bodies, one orphan is half of the world. */
const ALWAYS_ALLOWED = 3;

export interface OrphanObservation {
  /** All bodies of the cell, of every runtime that answered. */
  bodies: Body[];
  known: (workerId: string) => boolean;
  /** Ids of the bodies that were orphans at the sweep before. */
  suspects: ReadonlySet<string>;
  now: number;
  grace_ms: number;
  /** When the store began to remember, milliseconds since 1970. */
  remembers_since: number;
  /** The share of all bodies that one sweep may remove, 0 to 1. */
  breaker_share: number;
}

export interface OrphanDecision {
  remove: Body[];
  /** Orphans now; the suspects of the next sweep. */
  suspects: Set<string>;
  /** Orphans from before the store's memory: their records are restored, and they are never removed here. */
  before_memory: Body[];
  /** The breaker tripped: how many would have been removed. None is. */
  held_back: number;
}

export function findOrphans(observation: OrphanObservation): OrphanDecision {
  const orphans = observation.bodies.filter(({ worker_id }) => !observation.known(worker_id));
  const before_memory = orphans.filter(({ created_at }) => created_at < observation.remembers_since);
  const ripe = orphans.filter(
    ({ id, created_at }) =>
      created_at >= observation.remembers_since &&
      observation.now - created_at >= observation.grace_ms &&
      observation.suspects.has(id),
  );
  const tripped =
    ripe.length > ALWAYS_ALLOWED && ripe.length > observation.breaker_share * observation.bodies.length;
  return {
    remove: tripped ? [] : ripe,
    suspects: new Set(orphans.map(({ id }) => id)),
    before_memory,
    held_back: tripped ? ripe.length : 0,
  };
}
