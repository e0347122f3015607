/** What is told of a pool: the counts, one word for programs, one sentence for people. Pure. */
import { instant, type PoolStatus } from '../model/index.ts';
import type { Failures } from './failures.ts';
import { isFailing, isReady, type Member, type PoolLook, type PoolMemo, stays } from './look.ts';

export interface Judged {
  desired: number;
  /** Why the number is what it is. */
  why: string;
  updated: readonly Member[];
  outdated: readonly Member[];
  rollout: PoolMemo['rollout'] | undefined;
  failures: Failures;
  hopeless: boolean;
}

export function statusOf(look: PoolLook, judged: Judged): PoolStatus {
  const { members, queue, pool, revision } = look;
  const own = members.filter((member) => stays(member) && !member.warm);
  const ready = own.filter(isReady);
  const busy = ready.filter((member) => member.busy).length;
  const failing = own.filter(isFailing).length;
  const counts = {
    desired: judged.desired,
    current: own.length,
    ready: ready.length,
    busy,
    idle: ready.length - busy,
    starting: own.length - ready.length - failing,
    failing,
    draining: members.filter(({ desired }) => desired === 'deleted').length,
    updated: judged.updated.length,
    warm: members.filter((member) => member.warm && isReady(member)).length,
  };
  const tasks = queue.kind === 'known' ? { queued: queue.queued, active: queue.active } : {};
  const { next_retry_at } = judged.failures;
  return {
    ...explanation(look, judged, own, counts),
    ...counts,
    ...tasks,
    revision,
    observed_generation: pool.generation,
    scaled_at: scaledAt(look, judged),
    next_retry_at: next_retry_at === undefined ? undefined : instant(next_retry_at),
  };
}

function scaledAt({ status, now }: PoolLook, { desired }: Judged): string | undefined {
  return status && status.desired !== desired ? instant(now) : status?.scaled_at;
}

type Counts = Pick<PoolStatus, 'desired' | 'ready' | 'current' | 'failing' | 'draining'>;

function explanation(
  { pool, auto, queue, now }: PoolLook,
  { updated, outdated, rollout, failures, hopeless, why }: Judged,
  own: readonly Member[],
  { desired, ready, failing, draining }: Counts,
): Pick<PoolStatus, 'phase' | 'reason' | 'message'> {
  if (pool.desired === 'deleted') {
    const message = `It is being deleted; ${draining} of its workers finish what they run.`;
    return { phase: 'deleting', reason: 'Deleted', message };
  }
  const howMany = `${ready} of ${desired} workers are ready`;
  if (rollout?.stopped && outdated.length > 0) {
    const rest = `The rollout is stopped, ${outdated.length} workers stay as they were. Apply another template to go on.`;
    return {
      phase: 'stopped',
      reason: rollout.stopped.reason,
      message: `${rollout.stopped.message} ${rest}`,
    };
  }
  const worst = own.find(isFailing);
  if (worst) {
    const all = hopeless ? 'Its workers keep ending' : `${failing} of its workers keep ending`;
    const message = `${howMany}. ${all} (${worst.reason || 'Error'}): ${worst.message}`;
    return { phase: 'degraded', reason: worst.reason || 'Failing', message };
  }
  if (failures.next_retry_at !== undefined && failures.failure) {
    const { reason, message } = failures.failure;
    const seconds = Math.max(0, Math.ceil((failures.next_retry_at - now) / 1000));
    const told = `${howMany}. A worker ended (${reason}): ${message} Another one is made in ${seconds} s.`;
    return { phase: 'degraded', reason: reason || 'Failing', message: told };
  }
  if (outdated.length > 0) {
    const message = `${updated.length} of ${desired} workers are of the new template, ${outdated.length} of the one before. ${howMany}.`;
    return { phase: 'progressing', reason: 'RollingOut', message };
  }
  if (ready < desired) {
    if (auto === undefined && pool.spec.execution_mode === 'auto')
      return {
        phase: 'degraded',
        reason: 'RuntimeUnavailable',
        message: `${howMany}. No runtime answers that could take more.`,
      };
    const stopped = rollout?.stopped;
    if (stopped)
      return { phase: 'degraded', reason: stopped.reason, message: `${howMany}. ${stopped.message}` };
    return { phase: 'progressing', reason: 'Starting', message: `${howMany}. ${why}`.trim() };
  }
  const reason = queue.kind === 'unknown' && pool.spec.min !== undefined ? 'QueueUnknown' : '';
  return { phase: 'ready', reason, message: `${howMany}. ${why}`.trim() };
}
