import type { TaskFailure } from '../model/task-error.ts';
import { instant } from '../model/units.ts';
import type { Attempt } from './attempt.ts';
import type { RunningTask } from './consumer.ts';
import type { Job, Next } from './job.ts';
import { taskIdOf } from './place.ts';
import { priorityOf, type Stored, toFailure } from './stored.ts';

/** A task whose lock this worker holds, under a token that no other take has. */
export interface Held {
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

export function toHeld({ job, jobId, stored }: Next, token: string): Held {
  if (!('unreadable' in stored)) return { jobId, token, job, stored };
  return { jobId, token, job, stored: NOTHING, unreadable: stored.unreadable };
}

/** In place of what cannot be read; never run. */
const NOTHING: Stored = { payload: { command: [''] } };

export const attemptOf = ({ job }: Held): number => job.attemptsStarted;

export function toRunning(held: Held, timeoutSeconds: number): RunningTask {
  const { job, stored } = held;
  return {
    task_id: taskIdOf(held.jobId),
    payload: stored.payload,
    priority: priorityOf(job.priority),
    attempt: attemptOf(held),
    timeout_seconds: stored.timeout_seconds ?? timeoutSeconds,
    queued_at: instant(job.timestamp),
  };
}

/** The failure of a task that is not to be run: unreadable, cancelled, or lost by too many workers. */
export const deferred = ({ job, unreadable }: Held): TaskFailure | undefined =>
  unreadable ?? (job.deferredFailure ? toFailure(job.deferredFailure) : undefined);

export const taskOf = ({ jobId }: Held): string => taskIdOf(jobId);
