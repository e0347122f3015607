import type { TaskView } from '../../model/task/task.ts';
import { readBoundedJson } from '../../model/values/json-depth.ts';
import { formatInstant } from '../../model/values/units.ts';
import { parseAttempts, parseWholeNumber } from '../job.ts';
import { isCancelled, toFailure, toPriority, toUnreadableFailure } from '../stored-task.ts';

/** The reply of the script `view`. */
export type TaskViewReply = [state: string, rank: string, ...fields: (string | null)[]];

/**
 * Converts the script's reply to the view of a task. Never throws: an unreadable task must not hide the
 * others.
 */
export function toView(task_id: string, pool: string, seen: TaskViewReply): TaskView {
  const [
    state,
    rank,
    queued,
    started,
    ended,
    value,
    reason,
    opts,
    priority,
    starts,
    progress,
    by,
    mark,
    left,
  ] = seen;
  const omitted = (left || '').split(' ').filter(Boolean) as NonNullable<TaskView['omitted']>;
  const failed = state === 'failed';
  const completed = state === 'completed';
  const failure = omitted.includes('error') ? TOO_LONG : reason ? toFailure(reason) : null;
  const result = completed ? readBoundedJson(value || 'null') : undefined;
  const error = failed ? failure : completed && !result ? RESULT : null;
  return {
    task_id,
    status: completed || failed || state === 'running' ? state : 'queued',
    result: result?.value ?? null,
    error,
    error_message: error && `${error.type}: ${error.message}`,
    queued_at: at(queued) ?? at(started) ?? at(ended) ?? formatInstant(0),
    started_at: at(started),
    completed_at: at(ended),
    pool,
    priority: toPriority(Number(priority)),
    attempts: parseWholeNumber(starts) ?? 0,
    max_retries: (parseAttempts(opts) ?? 1) - 1,
    progress: (progress ? readBoundedJson(progress)?.value : undefined) ?? null,
    worker_id: by ?? null,
    cancelled: !completed && (isCancelled(failure) || isCancelled(mark ? toFailure(mark) : null)),
    ...(!ended && failure ? { last_error: failure } : {}),
    ...(omitted.length > 0 && { omitted }),
    ...(state === 'delayed' ? { next_attempt_at: formatInstant(parseWholeNumber(rank) ?? 0) } : {}),
  };
}

/** Stands for an error that a list leaves out. */
const TOO_LONG = { type: 'Error', message: 'It is too long for a list; see the task.' };
const RESULT = toUnreadableFailure('its result is not JSON, or nested too deeply');

function at(ms: string | null | undefined): string | null {
  const value = parseWholeNumber(ms);
  return value === undefined ? null : formatInstant(value);
}
