/** Observations of pools for tests: a pool, its members and its queue, in a short notation. */
import { type PoolInput, type PoolSpec, poolSpec } from '../../src/model/index.ts';
import type { Member, PoolMemo } from '../../src/model/pool/pool-memo.ts';
import type { PoolObservation } from '../../src/pools/observation.ts';

export const NOW = Date.parse('2026-01-01T12:00:00Z');
export const LIMITS = { backoff_base_ms: 1000, backoff_max_ms: 300_000, backoff_reset_ms: 600_000 };

export const poolOf = (more: Partial<PoolInput> = {}): PoolSpec =>
  poolSpec.parse({ name: 'jobs', handlers: ['handlers.py'], execution_mode: 'direct', ...more });

/** By default, a worker of the newest template that has been ready and idle for an hour. */
export function member(index: number, more: Partial<Member> = {}): Member {
  const created_at = NOW - 3_600_000 + index;
  return {
    id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    index,
    runtime: 'process',
    revision: 'new',
    warm: false,
    created_at,
    desired: 'running',
    status: 'RUNNING',
    phase: 'ready',
    reason: '',
    message: '',
    restarts: 0,
    active: 0,
    busy: false,
    ready_since: more.status && more.status !== 'RUNNING' ? undefined : created_at,
    next_retry_at: undefined,
    ...more,
  };
}

export const busy = (active = 1): Partial<Member> => ({ active, busy: true });
export const starting: Partial<Member> = { status: 'STARTING', phase: 'booting' };
export const silent: Partial<Member> = {
  phase: 'silent',
  reason: 'HeartbeatLost',
  message: 'Its wrapper was last heard at 2026-01-01T11:00:00.000Z; quiet alone does not end it.',
};
export const dying: Partial<Member> = {
  status: 'STARTING',
  phase: 'backoff',
  restarts: 2,
  reason: 'Error',
  message: 'It exited with code 1.',
};
export const failed: Partial<Member> = {
  status: 'FAILED',
  phase: 'finished',
  reason: 'Error',
  message: 'It exited with code 1.',
};
export const members = (count: number, more: Partial<Member> = {}, from = 1): Member[] =>
  Array.from({ length: count }, (_, at) => member(from + at, more));

export interface Given {
  spec?: PoolSpec;
  members?: Member[];
  queued?: number;
  active?: number;
  memo?: Partial<PoolMemo>;
  more?: Partial<PoolObservation>;
}

/** Templates are named `new` and `old` here; `queued` and `active` default to 0. */
export function look({
  spec = poolOf({ count: 3 }),
  members: all = [],
  queued,
  active,
  memo,
  more,
}: Given): PoolObservation {
  return {
    pool: {
      spec,
      desired: 'running',
      generation: 1,
      created_at: '2026-01-01T00:00:00.000Z',
      request_id: 'r',
    },
    status: undefined,
    memo: memo && { wants: [], failures: 0, counted: [], ...memo },
    members: all,
    queue: { kind: 'known', queued: queued ?? 0, active: active ?? 0 },
    revision: 'new',
    auto: 'docker',
    now: NOW,
    watching_since: NOW - 3_600_000,
    limits: LIMITS,
    ...more,
  };
}

/** A member of an older template. */
export const old = { revision: 'old' };
/** Between two failures, a worker has no error. */
export const startingAgain = { ...starting, restarts: 3 };
/** The error of a member that has started again since. */
export const LAST_ERROR = { revision: 'new', reason: 'Error', message: 'It exited with code 1.' };
