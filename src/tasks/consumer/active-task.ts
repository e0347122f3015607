import type { TaskFailure } from '../../model/task/task-error.ts';
import { formatInstant } from '../../model/values/units.ts';
import type { Job, Next } from '../job.ts';
import { toTaskId } from '../queue-keys.ts';
import { type Stored, toFailure, toPriority } from '../stored-task.ts';
import type { Attempt } from './attempt.ts';
import type { RunningTask } from './consumer.ts';

/** A task whose lock this worker holds, with a token that is unique to this fetch. */
export interface ActiveTask {
  jobId: string;
  token: string;
  job: Job;
  stored: Stored;
  /** Why it cannot be read; it fails with that without being started. */
  unreadable?: TaskFailure;
  /** Absent while it waits for a slot. */
  attempt?: Attempt;
  /** Another worker has taken it meanwhile, so the result of this worker does not count. */
  lost?: boolean;
  /** It fails without being started, and its start is not counted. */
  uncounted?: boolean;
  /** Returns it to the queue if it waits too long for a slot. */
  patience?: NodeJS.Timeout;
}

export function toActiveTask({ job, jobId, stored }: Next, token: string): ActiveTask {
  if (!('unreadable' in stored)) return { jobId, token, job, stored };
  return { jobId, token, job, stored: NOTHING, unreadable: stored.unreadable };
}

/** Replaces a payload that cannot be read; never run. */
const NOTHING: Stored = { payload: { command: [''] } };

export const getAttempt = ({ job }: ActiveTask): number => job.attemptsStarted;

export function toRunning(activeTask: ActiveTask, timeoutSeconds: number): RunningTask {
  const { job, stored } = activeTask;
  return {
    task_id: toTaskId(activeTask.jobId),
    payload: stored.payload,
    priority: toPriority(job.priority),
    attempt: getAttempt(activeTask),
    timeout_seconds: stored.timeout_seconds ?? timeoutSeconds,
    queued_at: formatInstant(job.timestamp),
  };
}

/**
 * The failure of a task that must not run because it is unreadable, cancelled, or was lost by too many
 * workers.
 */
export const getDeferredFailure = ({ job, unreadable }: ActiveTask): TaskFailure | undefined =>
  unreadable ?? (job.deferredFailure ? toFailure(job.deferredFailure) : undefined);

export const getTaskId = ({ jobId }: ActiveTask): string => toTaskId(jobId);
