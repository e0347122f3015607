/**
 * The progress of a rollout: it continues while the new workers become ready, and stops automatically if they
 * do not, before more old workers are removed. Pure.
 */
import type { PoolSpec } from '../model/index.ts';
import type { Member, PoolMemo } from '../model/pool/pool-memo.ts';
import { getMemberError, type LastError, withErrorText } from './last-error.ts';
import { availableAt, isAvailable, isFailing, isReady, type PoolObservation } from './observation.ts';

/** Number of consecutive bodies of one worker that ended, after which its template counts as broken. */
const CRASHES = 3;

type Rollout = NonNullable<PoolMemo['rollout']>;

export const DEFAULT_UPDATE: NonNullable<PoolSpec['update']> = {
  max_surge: 1,
  max_unavailable: 0,
  progress_deadline_seconds: 600,
  min_ready_seconds: 1,
};

export interface RolloutProgress {
  rollout: Rollout;
  /** When time alone may change it, milliseconds since 1970. */
  due: number | undefined;
}

/** `updated` are the workers of the newest template, `outdated` those that it has yet to replace. */
export function getRolloutProgress(
  observation: PoolObservation,
  memo: PoolMemo,
  size: number,
  { updated, outdated }: { updated: readonly Member[]; outdated: readonly Member[] },
  words: LastError,
): RolloutProgress {
  const { now, revision, watching_since } = observation;
  const { spec } = observation.pool;
  const same = memo.rollout?.revision === revision ? memo.rollout : undefined;
  const available = updated.filter((member) => isAvailable(member, spec, now)).length;
  if (same?.done && outdated.length === 0) return { rollout: same, due: undefined };
  // A completed rollout that has workers to move after all starts again.
  const before: Rollout =
    same && !same.done ? same : { revision, progressed_at: now, best: same ? available : 0, done: false };
  const done = outdated.length === 0 && available >= size;
  const ripens = updated
    .filter(isReady)
    .map((member) => availableAt(member, spec))
    .filter((at) => at > now);
  if (done || available > before.best) {
    const best = Math.max(before.best, available);
    return { rollout: { revision, progressed_at: now, best, done }, due: earliest(ripens) };
  }
  const deadline =
    Math.max(Math.min(before.progressed_at, now), watching_since) +
    (spec.update ?? DEFAULT_UPDATE).progress_deadline_seconds * 1000;
  const stopped =
    before.stopped ?? findStopReason(observation, memo, size, { updated, outdated }, deadline, words);
  const rollout = { ...before, done: false, ...(stopped && { stopped }) };
  return { rollout, due: earliest(stopped ? ripens : [...ripens, deadline]) };
}

function findStopReason(
  { now, pool }: PoolObservation,
  memo: PoolMemo,
  size: number,
  { updated, outdated }: { updated: readonly Member[]; outdated: readonly Member[] },
  deadline: number,
  words: LastError,
): Rollout['stopped'] {
  if (size === 0) return undefined;
  const crashed = updated.find((member) => isFailing(member) && member.restarts >= CRASHES);
  const failure = crashed
    ? getMemberError(crashed, words)
    : memo.failures >= CRASHES
      ? memo.failure
      : undefined;
  // Without older workers there is nothing to protect: the workers retry with their own backoff.
  if (outdated.length > 0 && failure) {
    const message = withErrorText('Workers of the new template keep failing', failure);
    return { reason: 'RolloutFailed', message };
  }
  if (now < deadline) return undefined;
  const seconds = (pool.spec.update ?? DEFAULT_UPDATE).progress_deadline_seconds;
  const worst = updated.find(isFailing) ?? updated.find((member) => !isReady(member));
  const lastError = worst && getMemberError(worst, words).message;
  const why = lastError ? ` One of them reported: ${lastError}` : '';
  const message = `No more workers of this template became ready within ${seconds} s.${why}`;
  return { reason: 'ProgressDeadlineExceeded', message };
}

const earliest = (times: number[]) => (times.length === 0 ? undefined : Math.min(...times));
