/**
 * What a pool is decided on and what a decision is: one frozen look in, plain data out.
 *
 * `src/pools` owns the judgement about pools: how many workers (`autoscale.ts`), of which kind (`placement.ts`), how a new
 * template is rolled out (`rollout.ts`), who leaves first (`scale-down-order.ts`), what a worker of it is made of
 * (`template.ts`). What must always hold: all of these are pure and synchronous, and read no clock and no
 * randomness; what cannot be seen changes nothing. Must import nothing of ours but the model and what `warm/` decides.
 */
import { type PoolRecord, type PoolSpec, type PoolStatus, type RuntimeName, toMode } from '../model/index.ts';
import type { Member, PoolMemo } from '../model/pool-memo.ts';

/** What is known of the pool's queue. Unknown is never empty. */
export type QueueObservation =
  | { kind: 'known'; queued: number; active: number }
  | { kind: 'unknown'; error: string };

/** One look at a pool: everything that a decision may depend on. */
export interface PoolObservation {
  pool: PoolRecord;
  status: PoolStatus | undefined;
  memo: PoolMemo | undefined;
  members: readonly Member[];
  queue: QueueObservation;
  /** Names the template that workers are made of now. */
  revision: string;
  /** Where `auto` puts a worker now; `undefined` if no runtime answers. */
  auto: RuntimeName | undefined;
  /** How many workers the cell may still have (MAX_WORKERS_TOTAL); absent if that is not known. */
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

/** What is to be done, in plain data. */
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

/** Wanted alive, and not at its end: it counts as one of the pool's. */
export const isActive = ({ desired, status }: Member): boolean =>
  desired === 'running' && (status === 'STARTING' || status === 'RUNNING');

/** Running and reporting. One whose heartbeat is lost, or that is killed because it hangs, serves no task. */
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

/** Made of the pool's template as it is now, and in the image that a new one would run. */
export const isCurrent = (member: Member, { revision }: Pick<PoolObservation, 'revision'>): boolean =>
  member.revision === revision && !member.stale;

/** Ready for so long that a rollout may build on it. */
export const isAvailable = (member: Member, spec: PoolSpec, now: number): boolean =>
  isReady(member) && now >= availableAt(member, spec);

export const availableAt = ({ ready_since, created_at }: Member, { update }: PoolSpec): number =>
  (ready_since ?? created_at) + (update?.min_ready_seconds ?? 1) * 1000;
