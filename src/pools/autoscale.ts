/**
 * How many workers there should be. A fixed pool says so itself; a scaled one follows its load: up at once, down to
 * the most that was needed within its window. The choice of Kubernetes' horizontal autoscaler, and for its reason: a
 * lull between two bursts must not cost the workers that the next burst needs. Pure.
 */
import type { PoolSpec } from '../model/index.ts';
import type { Member, PoolMemo } from '../model/pool-memo.ts';
import { isActive, type PoolObservation } from './observation.ts';

/** Notes of what was needed are limited to this count; the highest of the rest replaces them. */
const WANTS_KEPT = 100;

export interface SizeDecision {
  desired: number;
  memo: Pick<PoolMemo, 'size' | 'wants' | 'grew_at' | 'resized_at'>;
  /** When time alone may change the number, milliseconds since 1970. */
  due: number | undefined;
  /** A sentence, where the number is not simply what is asked for. */
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
  // Without a memory, what is there is what there should be: it shrinks after a window, as ever.
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

/** What a pool asks for that is not scaled. */
export function fixedSize({ count, execution_mode: mode }: PoolSpec): number {
  return count ?? (typeof mode === 'object' ? mode.docker + mode.direct : 0);
}

/** Tasks that need a worker: those that a leaving one finishes need none. */
function computeLoad(
  { queued, active }: { queued: number; active: number },
  members: readonly Member[],
): number {
  const leaving = members
    .filter((member) => !isActive(member))
    .reduce((sum, member) => sum + member.active, 0);
  return queued + Math.max(0, active - leaving);
}

/** Adds what is needed now, and lets go of what is too old or is hidden by a higher one that is newer. */
function recordWant(wants: PoolMemo['wants'], n: number, now: number, windowMs: number): PoolMemo['wants'] {
  const kept = wants
    .map((want) => ({ at: Math.min(want.at, now), n: want.n }))
    .filter((want) => want.n > n && now - want.at <= windowMs);
  // A note that is young for its window says the same, and costs no write.
  const same = wants.find((want) => want.n === n && want.at <= now && now - want.at < windowMs / 10);
  const all = [...kept, same ?? { at: now, n }];
  if (all.length <= WANTS_KEPT) return all;
  const [first, second, ...rest] = all;
  // The highest stands for the second, too: it shrinks later than it could, never sooner.
  return [{ at: second?.at ?? now, n: first?.n ?? n }, ...rest];
}

const fixed = (desired: number, why: string): SizeDecision => ({
  desired,
  memo: { size: undefined, wants: [], grew_at: undefined, resized_at: undefined },
  due: undefined,
  why,
});

/** An instant of the future comes from a clock that was set back. */
const past = (at: number | undefined, now: number) => (at === undefined ? undefined : Math.min(at, now));
