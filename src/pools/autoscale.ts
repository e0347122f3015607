/**
 * How many workers a pool should have. A fixed pool specifies the number; a scaled pool follows its load: up
 * immediately, down to the maximum that was needed within its window. Kubernetes' horizontal autoscaler does
 * the same, for the same reason: a pause between two bursts must not remove workers that the next burst
 * needs. Pure.
 */
import type { PoolSpec } from '../model/index.ts';
import type { Member, PoolMemo } from '../model/pool/pool-memo.ts';
import { isActive, type PoolObservation } from './observation.ts';

/** Notes of what was needed are limited to this count; the highest of the rest replaces them. */
const WANTS_KEPT = 100;

export interface SizeDecision {
  desired: number;
  memo: Pick<PoolMemo, 'size' | 'wants' | 'grew_at' | 'resized_at'>;
  /** When time alone may change the number, milliseconds since 1970. */
  due: number | undefined;
  /** Explains the number in a sentence if it is not simply the requested one. */
  why: string;
}

const later = (...times: (number | undefined)[]) => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};

export function decideSize(observation: PoolObservation, memo: PoolMemo): SizeDecision {
  const { spec, desired } = observation.pool;
  if (desired === 'deleted') return fixed(0, '');
  if (spec.min === undefined || spec.max === undefined) return fixed(fixedSize(spec), '');
  const { min, max } = spec;
  const clamp = (n: number) => Math.min(max, Math.max(min, n));
  const staying = observation.members.filter((member) => isActive(member) && !member.warm).length;
  // Without a memo, the current number is kept and shrinks after a window as usual.
  const size = clamp(memo.size ?? staying);
  const { now, queue } = observation;
  const grew_at = past(memo.grew_at, now);
  const resized_at = past(memo.resized_at, now);
  const before = memo.size === undefined ? [{ at: now, n: size }] : memo.wants;
  if (queue.kind === 'unknown')
    return {
      desired: size,
      memo: { size, wants: before, grew_at, resized_at },
      due: undefined,
      why: `The length of the queue cannot be read (${queue.error}); the number of workers does not change.`,
    };

  const load = computeLoad(queue, observation.members);
  const perWorker = spec.autoscale?.target ?? spec.concurrency;
  const want = clamp(Math.ceil(load / perWorker));
  const settings = {
    stabilization_seconds: 60,
    up_cooldown_seconds: 0,
    down_cooldown_seconds: 15,
    ...spec.autoscale,
  };
  const windowMs = settings.stabilization_seconds * 1000;
  const wants = recordWant(before, want, now, windowMs);
  const most = wants[0]?.n ?? want;
  const why = `${load} tasks at ${perWorker} per worker need ${want}`;

  const resized = (to: number, since: number | undefined, seconds: number, told: string): SizeDecision => {
    const at = since === undefined ? now : since + seconds * 1000;
    if (at > now)
      return {
        desired: size,
        memo: { size, wants, grew_at, resized_at },
        due: at,
        why: `${why}; it has ${told} recently.`,
      };
    const memo = { size: to, wants, grew_at: to > size ? now : grew_at, resized_at: now };
    return { desired: to, memo, due: undefined, why: `${why}.` };
  };
  if (want > size) return resized(want, grew_at, settings.up_cooldown_seconds, 'grown');
  if (most < size) return resized(most, resized_at, settings.down_cooldown_seconds, 'changed');
  const waits = want < size;
  return {
    desired: size,
    memo: { size, wants, grew_at, resized_at },
    due: waits ? later((wants[0]?.at ?? now) + windowMs + 1) : undefined,
    why: waits ? `${why}; ${size} were needed within the last ${settings.stabilization_seconds} s.` : '',
  };
}

/** The number of workers of a pool that is not scaled. */
export function fixedSize({ count, execution_mode: mode }: PoolSpec): number {
  return count ?? (typeof mode === 'object' ? mode.docker + mode.direct : 0);
}

/** Tasks that need a worker, without those that a leaving worker finishes. */
function computeLoad(
  { queued, active }: { queued: number; active: number },
  members: readonly Member[],
): number {
  const leaving = members
    .filter((member) => !isActive(member))
    .reduce((sum, member) => sum + member.active, 0);
  return queued + Math.max(0, active - leaving);
}

/** Adds the current need, and drops notes that are too old or are followed by a higher one. */
function recordWant(wants: PoolMemo['wants'], n: number, now: number, windowMs: number): PoolMemo['wants'] {
  const kept = wants
    .map((want) => ({ at: Math.min(want.at, now), n: want.n }))
    .filter((want) => want.n > n && now - want.at <= windowMs);
  // A recent note with the same number makes a write unnecessary.
  const same = wants.find((want) => want.n === n && want.at <= now && now - want.at < windowMs / 10);
  const all = [...kept, same ?? { at: now, n }];
  if (all.length <= WANTS_KEPT) return all;
  const [first, second, ...rest] = all;
  // The highest note replaces the second one as well: the pool shrinks later than it could, never earlier.
  return [{ at: second?.at ?? now, n: first?.n ?? n }, ...rest];
}

const fixed = (desired: number, why: string): SizeDecision => ({
  desired,
  memo: { size: undefined, wants: [], grew_at: undefined, resized_at: undefined },
  due: undefined,
  why,
});

/** An instant in the future comes from a clock that was set back. */
const past = (at: number | undefined, now: number) => (at === undefined ? undefined : Math.min(at, now));
