/**
 * The input and output of a decision about a pool: one immutable observation in, plain data out.
 *
 * `src/pools` decides about pools: how many workers (`autoscale.ts`), in which runtime (`placement.ts`), how
 * a new template is rolled out (`rollout.ts`), which worker leaves first (`scale-down-order.ts`) and what the
 * spec of a worker is (`template.ts`). Invariants: all of these are pure and synchronous, and read no clock
 * and no randomness; anything that cannot be observed changes nothing. From this project they import only the
 * model and `warm/`.
 */
import { type PoolRecord, type PoolSpec, type PoolStatus, type RuntimeName, toMode } from '../model/index.ts';
import type { Member, PoolMemo } from '../model/pool/pool-memo.ts';

/** The state of the pool's queue. An unknown queue is never treated as empty. */
export type QueueObservation =
  | { kind: 'known'; queued: number; active: number }
  | { kind: 'unknown'; error: string };

/** One observation of a pool: everything that a decision may depend on. */
export interface PoolObservation {
  pool: PoolRecord;
  status: PoolStatus | undefined;
  memo: PoolMemo | undefined;
  members: readonly Member[];
  queue: QueueObservation;
  /** Identifies the current template of workers. */
  revision: string;
  /** Where `auto` puts a worker now; `undefined` if no runtime answers. */
  auto: RuntimeName | undefined;
  /** How many more workers the cell may have (MAX_WORKERS_TOTAL); absent if that is not known. */
  room?: number | undefined;
  /** Until when claims of its warm workers are assumed to continue, in milliseconds since 1970. */
  claiming_until?: number | undefined;
  /** Milliseconds since 1970. */
  now: number;
  /** Since when this manager leads: no deadline counts the time before. */
  watching_since: number;
  limits: { backoff_base_ms: number; backoff_max_ms: number; backoff_reset_ms: number };
}

/** Why a worker has to leave. */
export type RemovalReason = 'surplus' | 'outdated' | 'ended' | 'stopped' | 'deleted';

/** The actions to take, as plain data. */
export type PoolIntent =
  | { type: 'add'; runtime: RuntimeName; index: number; warm: boolean }
  | { type: 'retire'; worker_id: string; why: RemovalReason; busy: boolean }
  | { type: 'purge' };

export interface PoolDecision {
  status: PoolStatus;
  memo: PoolMemo;
  intents: PoolIntent[];
  /** Milliseconds until time alone may change the decision. */
  requeue_after_ms: number;
}

/** The line that logs, tests, events and `explain` share. */
export function describePoolIntent(intent: PoolIntent): string {
  switch (intent.type) {
    case 'add':
      return `add ${intent.warm ? 'warm' : toMode(intent.runtime)} worker ${intent.index}`;
    case 'retire':
      return `retire ${intent.busy ? 'busy ' : ''}worker ${intent.worker_id.slice(0, 8)} (${intent.why})`;
    case 'purge':
      return 'delete the pool record';
  }
}

/** It should run and has not ended, so it counts as a worker of the pool. */
export const isActive = ({ desired, status }: Member): boolean =>
  desired === 'running' && (status === 'STARTING' || status === 'RUNNING');

/**
 * Running and reporting. A worker whose heartbeat is lost, or that is killed because it hangs, runs no task.
 */
export const isReady = (member: Member): boolean =>
  isActive(member) && member.status === 'RUNNING' && !isUnresponsive(member);

/** Running, and its heartbeat is lost or it hangs. */
export const isUnresponsive = (member: Member): boolean =>
  isActive(member) &&
  member.status === 'RUNNING' &&
  (member.phase === 'silent' || member.phase === 'killing');

/** Starting, and not for the first time. */
export const isFailing = (member: Member): boolean =>
  isActive(member) && member.status === 'STARTING' && (member.phase === 'backoff' || member.restarts > 0);

/** Created from the pool's current template, with the image that a new worker would run. */
export const isCurrent = (member: Member, { revision }: Pick<PoolObservation, 'revision'>): boolean =>
  member.revision === revision && !member.stale;

/** Ready long enough for a rollout to continue. */
export const isAvailable = (member: Member, spec: PoolSpec, now: number): boolean =>
  isReady(member) && now >= availableAt(member, spec);

export const availableAt = ({ ready_since, created_at }: Member, { update }: PoolSpec): number =>
  (ready_since ?? created_at) + (update?.min_ready_seconds ?? 1) * 1000;
