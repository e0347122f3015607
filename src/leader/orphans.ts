/**
 * Classifies bodies that belong to no worker. Pure.
 *
 * An orphan is removed only if it is older than the grace period (its record may still be written), was an orphan in
 * the previous list as well, and is younger than the store: a body that is older than the store belongs to a worker
 * that the store has lost, and its record is restored. A sweep that would remove a large share of all bodies removes
 * nothing.
 */
import type { Body } from '../model/index.ts';

/** This many orphans are removed regardless of any share above 0; with two bodies, one orphan is half of them. */
const ALWAYS_ALLOWED = 3;

export interface OrphanObservation {
  /** All bodies of the cell, from every runtime that answered. */
  bodies: Body[];
  known: (workerId: string) => boolean;
  /** IDs of the bodies that were orphans at the previous sweep. */
  suspects: ReadonlySet<string>;
  now: number;
  grace_ms: number;
  /** When the store was created, in milliseconds since 1970. */
  remembers_since: number;
  /** The share of all bodies that one sweep may remove, 0 to 1. */
  breaker_share: number;
}

export interface OrphanDecision {
  remove: Body[];
  /** Current orphans, the candidates of the next sweep. */
  suspects: Set<string>;
  /** Orphans that are older than the store: their records are restored, and they are never removed here. */
  before_memory: Body[];
  /** The breaker is open: those that would have been removed. None is. */
  held_back: Body[];
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
  const tripped = isTripped(ripe.length, observation.bodies.length, observation.breaker_share);
  return {
    remove: tripped ? [] : ripe,
    suspects: new Set(orphans.map(({ id }) => id)),
    before_memory,
    held_back: tripped ? ripe : [],
  };
}

/** Whether a sweep that would remove `ripe` of `all` objects must remove nothing. */
export const isTripped = (ripe: number, all: number, share: number): boolean =>
  ripe > (share === 0 ? 0 : ALWAYS_ALLOWED) && ripe > share * all;
