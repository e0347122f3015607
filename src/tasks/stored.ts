import type { Task, TaskBackoff, TaskPayload, TaskPriority, TaskView } from '../model/task.ts';
import type { TaskFailure } from '../model/task-error.ts';
import { instant } from '../model/units.ts';
import { RANK } from './place.ts';

/** What stands in a job's `data`: all that the worker needs. */
export interface Stored {
  payload: TaskPayload;
  timeout_seconds?: number | undefined;
  backoff?: TaskBackoff | undefined;
  max_losses?: number | undefined;
}

const PRIORITY = Object.fromEntries(Object.entries(RANK).map(([name, rank]) => [rank, name])) as Record<
  number,
  TaskPriority
>;
export const priorityOf = (rank: number): TaskPriority => PRIORITY[rank] ?? 'normal';

export const toStored = ({ payload, timeout_seconds, backoff, max_losses }: Task): string =>
  JSON.stringify({ payload, timeout_seconds, backoff, max_losses } satisfies Stored);

const DEFAULT_BACKOFF: TaskBackoff = { type: 'exponential', delay_seconds: 1, max_delay_seconds: 300 };

/** Milliseconds between the `made`-th attempt (1 for the first) and the next. */
export function backoffMs(made: number, backoff: TaskBackoff = DEFAULT_BACKOFF): number {
  const { type, delay_seconds, max_delay_seconds } = backoff;
  const factor = type === 'fixed' ? 1 : 2 ** Math.min(made - 1, 30);
  return Math.round(Math.min(delay_seconds * factor, max_delay_seconds) * 1000);
}

/** A failure as it stands in `failedReason`; what BullMQ itself wrote there is the loss of workers. */
export function toFailure(text: string): TaskFailure {
  if (text.startsWith('{')) {
    try {
      return JSON.parse(text) as TaskFailure;
    } catch {
      // Not ours: told as it is.
    }
  }
  return { type: 'WorkerLost', message: LOST };
}

const LOST =
  'Every worker that ran this task died under it, as often as max_losses allows; it is not given to another one.';

export const isCancelled = (failure: TaskFailure | null | undefined): boolean =>
  failure?.type === 'Cancelled';

/** The reply of the script `view`. */
export type Seen = [state: string, rank: string, ...fields: (string | null)[]];

/** The task's view of what the script `view` has read. */
export function toView(task_id: string, pool: string, seen: Seen): TaskView {
  const [state, rank, queued, started, ended, value, reason, opts, priority, starts, progress, by, mark] =
    seen;
  const failed = state === 'failed';
  const failure = reason ? toFailure(reason) : null;
  const at = (ms: string | null | undefined) => (ms ? instant(Number(ms)) : null);
  return {
    task_id,
    status: state === 'completed' || failed || state === 'running' ? state : 'queued',
    result: state === 'completed' ? JSON.parse(value || 'null') : null,
    error: failed ? failure : null,
    queued_at: instant(Number(queued)),
    started_at: at(started),
    completed_at: at(ended),
    pool,
    priority: priorityOf(Number(priority)),
    attempts: Number(starts ?? 0),
    max_retries: Math.max(0, (JSON.parse(opts || '{}').attempts ?? 1) - 1),
    progress: progress ? JSON.parse(progress) : null,
    worker_id: by ?? null,
    cancelled: state !== 'completed' && (isCancelled(failure) || isCancelled(mark ? toFailure(mark) : null)),
    ...(!ended && failure ? { last_error: failure } : {}),
    ...(state === 'delayed' ? { next_attempt_at: instant(Number(rank)) } : {}),
  };
}
