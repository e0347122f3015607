/** The status of a pool: the counts, a reason for programs, and a message for users. Pure. */
import { formatInstant, type PoolStatus } from '../model/index.ts';
import type { Member, PoolMemo } from '../model/pool/pool-memo.ts';
import type { Failures } from './failures.ts';
import { getMemberError, type LastError, withErrorText } from './last-error.ts';
import {
  isActive,
  isCurrent,
  isFailing,
  isReady,
  isUnresponsive,
  type PoolObservation,
} from './observation.ts';

export interface StatusFacts {
  desired: number;
  /** Explains the number. */
  why: string;
  updated: readonly Member[];
  outdated: readonly Member[];
  rollout: PoolMemo['rollout'] | undefined;
  failures: Failures;
  lastError: LastError;
  hopeless: boolean;
  /** Workers that are missing because the cell has reached its limit. */
  short: number;
}

export function createPoolStatus(observation: PoolObservation, judged: StatusFacts): PoolStatus {
  const { members, queue, pool, revision } = observation;
  const own = members.filter((member) => isActive(member) && !member.warm);
  const ready = own.filter(isReady);
  const busy = ready.filter((member) => member.busy).length;
  const failing = own.filter(isFailing).length;
  const counts = {
    desired: judged.desired,
    current: own.length,
    ready: ready.length,
    busy,
    idle: ready.length - busy,
    starting: own.filter(({ status }) => status === 'STARTING').length - failing,
    failing,
    draining: members.filter(({ desired }) => desired === 'deleted').length,
    updated: judged.updated.length,
    warm: members.filter((member) => member.warm && isReady(member)).length,
  };
  const tasks = queue.kind === 'known' ? { queued: queue.queued, active: queue.active } : {};
  const { next_retry_at } = judged.failures;
  return {
    ...explanation(observation, judged, own, counts),
    ...counts,
    ...tasks,
    revision,
    observed_generation: pool.generation,
    scaled_at: scaledAt(observation, judged),
    next_retry_at: next_retry_at === undefined ? undefined : formatInstant(next_retry_at),
  };
}

function scaledAt({ status, now }: PoolObservation, { desired }: StatusFacts): string | undefined {
  return status && status.desired !== desired ? formatInstant(now) : status?.scaled_at;
}

type Counts = Pick<PoolStatus, 'desired' | 'ready' | 'current' | 'failing' | 'draining'>;
type Explanation = Pick<PoolStatus, 'phase' | 'reason' | 'message'>;

function explanation(
  observation: PoolObservation,
  judged: StatusFacts,
  own: readonly Member[],
  { desired, ready, current, failing, draining }: Counts,
): Explanation {
  const { pool, auto, queue, now } = observation;
  const { updated, outdated, rollout, failures, lastError, hopeless, why } = judged;
  if (pool.desired === 'deleted') {
    const message = `It is being deleted; ${draining} of its workers are finishing their tasks.`;
    return { phase: 'deleting', reason: 'Deleted', message };
  }
  const warm = countWarm(observation);
  const howMany = formatCounts({ desired, ready, current }, warm);
  if (rollout?.stopped && outdated.length > 0) {
    const rest = `The rollout is stopped; ${outdated.length} workers keep the old template. Apply another template to continue.`;
    return {
      phase: 'stopped',
      reason: rollout.stopped.reason,
      message: `${rollout.stopped.message} ${rest}`,
    };
  }
  const worst = own.find(isFailing);
  if (worst) {
    const all = hopeless ? 'Its workers keep failing' : `${failing} of its workers keep failing`;
    return degraded(`${howMany}. ${all}`, getMemberError(worst, lastError));
  }
  const [coldest] = warm.failing;
  if (coldest) {
    const all = warm.waiting === 0 ? 'Its warm workers' : `${warm.failing.length} of its warm workers`;
    return degraded(`${howMany}. ${all} keep failing`, getMemberError(coldest, lastError));
  }
  const quiet = observation.members.filter(
    (member) => isUnresponsive(member) && isCurrent(member, observation),
  );
  if (quiet[0]) {
    const some = quiet.length === 1 ? 'One of its workers does' : `${quiet.length} of its workers do`;
    return degraded(`${howMany}. ${some} not respond`, quiet[0]);
  }
  if (failures.next_retry_at !== undefined && failures.failure) {
    const seconds = Math.max(0, Math.ceil((failures.next_retry_at - now) / 1000));
    const explanation = degraded(`${howMany}. A worker ended`, failures.failure);
    return { ...explanation, message: `${explanation.message} It will be replaced in ${seconds} s.` };
  }
  if (judged.short > 0) {
    const message = `${howMany}. ${judged.short} more cannot be created: the cell has reached MAX_WORKERS_TOTAL.`;
    return { phase: 'degraded', reason: 'Capacity', message };
  }
  if (outdated.length > 0) {
    const message = `${updated.length} of ${desired} workers have the new template, ${outdated.length} the old one. ${howMany}.`;
    return { phase: 'progressing', reason: 'RollingOut', message };
  }
  const missing = ready < desired;
  if (!missing && warm.waiting >= warm.wanted) {
    const reason = queue.kind === 'unknown' && pool.spec.min !== undefined ? 'QueueUnknown' : '';
    return { phase: 'ready', reason, message: `${howMany}. ${why}`.trim() };
  }
  if (auto === undefined && pool.spec.execution_mode === 'auto')
    return {
      phase: 'degraded',
      reason: 'RuntimeUnavailable',
      message: `${howMany}. No available runtime can run more.`,
    };
  const stopped = rollout?.stopped;
  if (missing && stopped)
    return { phase: 'degraded', reason: stopped.reason, message: `${howMany}. ${stopped.message}` };
  const reason = missing ? 'Starting' : 'Warming';
  return { phase: 'progressing', reason, message: `${howMany}. ${why}`.trim() };
}

/** Workers keep failing: the status has their reason for programs and their last error for users. */
function degraded(start: string, words: Pick<Member, 'reason' | 'message'>): Explanation {
  return { phase: 'degraded', reason: words.reason || 'Failing', message: withErrorText(start, words) };
}

interface Warm {
  wanted: number;
  /** Workers of the newest template that are ready to be claimed. */
  waiting: number;
  /** Present while too few are waiting. */
  failing: readonly Member[];
}

/**
 * How many warm workers should wait, and how many do. Outdated ones may still be claimed, but are not
 * counted.
 */
function countWarm(observation: PoolObservation): Warm {
  const wanted = observation.pool.spec.warm ?? 0;
  const fresh = observation.members.filter(
    (member) => member.warm && isActive(member) && isCurrent(member, observation),
  );
  const waiting = fresh.filter(isReady).length;
  return { wanted, waiting, failing: waiting < wanted ? fresh.filter(isFailing) : [] };
}

/** A pool that has only warm workers has no other ones to report. */
function formatCounts(
  { desired, ready, current }: Pick<Counts, 'desired' | 'ready' | 'current'>,
  { wanted, waiting }: Warm,
): string {
  const own = `${ready} of ${desired} workers are ready`;
  if (wanted === 0) return own;
  const warm = `${Math.min(waiting, wanted)} of ${wanted} warm`;
  return desired === 0 && current === 0 ? `${warm} workers available` : `${own}, ${warm} available`;
}
