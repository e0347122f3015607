/**
 * Workers of a pool that ended for good. A worker that its own policy restarts has its own backoff. A worker
 * that ended for good is replaced by the pool, which needs a backoff as well; otherwise a broken template
 * would be retried without a delay. Pure.
 */

import type { PoolMemo } from '../model/pool/pool-memo.ts';
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
  // The spec has changed: earlier failures say nothing about it.
  const changed = status !== undefined && status.observed_generation !== pool.generation;
  const forgotten = memo.failed_at !== undefined && now - memo.failed_at >= limits.backoff_reset_ms;
  if (!worst) {
    if (changed || forgotten)
      return { failures: 0, counted, failed_at: undefined, next_retry_at: undefined, failure: undefined };
    const { failures, failed_at, failure } = memo;
    const waits = memo.next_retry_at !== undefined && memo.next_retry_at > now;
    // A clock that was set back must not make the delay longer.
    const next_retry_at = waits
      ? Math.min(memo.next_retry_at ?? now, now + limits.backoff_max_ms)
      : undefined;
    return { failures, counted, failed_at, failure, next_retry_at };
  }
  // Workers that end at the same time count as one failure of their template.
  const failures = (changed || forgotten ? 0 : memo.failures) + 1;
  const wait = Math.min(limits.backoff_base_ms * 2 ** Math.min(failures - 1, 30), limits.backoff_max_ms);
  const { reason, message } = worst;
  return { failures, counted, failed_at: now, next_retry_at: now + wait, failure: { reason, message } };
}

/** It ran so long that its end is not the template's fault. */
function lived(
  { ready_since }: { ready_since: number | undefined },
  { now, limits }: PoolObservation,
): boolean {
  return ready_since !== undefined && now - ready_since >= limits.backoff_reset_ms;
}
