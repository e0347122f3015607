import type { TaskFailure } from '../model/task-error.ts';
import { formatInstant } from '../model/units.ts';
import type { Attempt } from './attempt.ts';
import type { RunningTask } from './consumer.ts';
import type { Job, Next } from './job.ts';
import { toTaskId } from './queue-keys.ts';
import { type Stored, toFailure, toPriority } from './stored-task.ts';

/** A task whose lock this worker holds, under a token that no other take has. */
export interface ActiveTask {
  jobId: string;
  token: string;
  job: Job;
  stored: Stored;
  /** Why it cannot be read; it fails with that, unbegun. */
  unreadable?: TaskFailure;
  /** Absent while it waits for a slot. */
  attempt?: Attempt;
  /** Another worker has had it meanwhile: it is this one's no more, whatever comes out. */
  lost?: boolean;
  /** It fails without being begun, and its start is taken back. */
  uncounted?: boolean;
  /** Gives it back where it waits too long for a slot. */
  patience?: NodeJS.Timeout;
}

export function toActiveTask({ job, jobId, stored }: Next, token: string): ActiveTask {
  if (!('unreadable' in stored)) return { jobId, token, job, stored };
  return { jobId, token, job, stored: NOTHING, unreadable: stored.unreadable };
}

/** In place of what cannot be read; never run. */
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

/** The failure of a task that is not to be run: unreadable, cancelled, or lost by too many workers. */
export const getDeferredFailure = ({ job, unreadable }: ActiveTask): TaskFailure | undefined =>
  unreadable ?? (job.deferredFailure ? toFailure(job.deferredFailure) : undefined);

export const getTaskId = ({ jobId }: ActiveTask): string => toTaskId(jobId);
