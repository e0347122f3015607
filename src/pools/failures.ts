/**
 * Workers of a pool that ended for good. A worker that is restarted by its own policy backs off on its own; what
 * ends for good is replaced by the pool, which has to wait in the same way, or a broken template would be tried
 * forever. Pure.
 */

import type { PoolMemo } from '../model/pool-memo.ts';
import { isActive, type PoolObservation } from './observation.ts';

export type Failures = Pick<PoolMemo, 'failures' | 'failed_at' | 'next_retry_at' | 'failure' | 'counted'>;

export function countFailures(observation: PoolObservation, memo: PoolMemo): Failures {
  const { now, members, limits, status, pool } = observation;
  const ended = members.filter(
    (member) => member.desired === 'running' && !isActive(member) && !lived(member, observation),
  );
  const counted = ended.map(({ id }) => id);
  const before = new Set(memo.counted);
  const fresh = ended.filter(({ id }) => !before.has(id));
  const [worst] = fresh;
  // What was asked for has changed: what failed before says nothing about it.
  const changed = status !== undefined && status.observed_generation !== pool.generation;
  const forgotten = memo.failed_at !== undefined && now - memo.failed_at >= limits.backoff_reset_ms;
  if (!worst) {
    if (changed || forgotten)
      return { failures: 0, counted, failed_at: undefined, next_retry_at: undefined, failure: undefined };
    const { failures, failed_at, failure } = memo;
    const waits = memo.next_retry_at !== undefined && memo.next_retry_at > now;
    // A clock that was set back must not make it wait for longer than it would have.
    const next_retry_at = waits
      ? Math.min(memo.next_retry_at ?? now, now + limits.backoff_max_ms)
      : undefined;
    return { failures, counted, failed_at, failure, next_retry_at };
  }
  // Those that end together are one failure of what they have in common.
  const failures = (changed || forgotten ? 0 : memo.failures) + 1;
  const wait = Math.min(limits.backoff_base_ms * 2 ** Math.min(failures - 1, 30), limits.backoff_max_ms);
  const { reason, message } = worst;
  return { failures, counted, failed_at: now, next_retry_at: now + wait, failure: { reason, message } };
}

/** It ran for so long that its end is none of the template's. */
function lived(
  { ready_since }: { ready_since: number | undefined },
  { now, limits }: PoolObservation,
): boolean {
  return ready_since !== undefined && now - ready_since >= limits.backoff_reset_ms;
}
