import type { JobJson } from 'bullmq';
import type { TaskFailure } from '../model/task-error.ts';
import { instant } from '../model/units.ts';
import type { Attempt } from './attempt.ts';
import type { RunningTask } from './consumer.ts';
import { taskIdOf } from './place.ts';
import { priorityOf, type Stored, toFailure } from './stored.ts';

/** A task whose lock this worker holds, under a token that no other take has. */
export interface Held {
  jobId: string;
  token: string;
  job: JobJson;
  stored: Stored;
  /** Absent while it waits for a slot. */
  attempt?: Attempt;
  /** Another worker has had it meanwhile: it is this one's no more, whatever comes out. */
  lost?: boolean;
  /** It fails without being begun, and its start is taken back. */
  uncounted?: boolean;
  /** Gives it back where it waits too long for a slot. */
  patience?: NodeJS.Timeout;
}

export function toHeld(job: JobJson, jobId: string, token: string): Held {
  return { jobId, token, job, stored: JSON.parse(job.data) as Stored };
}

export const attemptOf = ({ job }: Held): number => job.attemptsStarted ?? 1;

export function toRunning(held: Held, timeoutSeconds: number): RunningTask {
  const { job, stored } = held;
  return {
    task_id: taskIdOf(held.jobId),
    payload: stored.payload,
    priority: priorityOf(job.priority ?? 0),
    attempt: attemptOf(held),
    timeout_seconds: stored.timeout_seconds ?? timeoutSeconds,
    queued_at: instant(job.timestamp),
  };
}

/** The failure of a task that is not to be run: cancelled, or lost by too many workers. */
export const deferred = ({ job }: Held): TaskFailure | undefined =>
  job.deferredFailure ? toFailure(job.deferredFailure) : undefined;

export const taskOf = ({ jobId }: Held): string => taskIdOf(jobId);

/** A task that Redis has handed out. */
export type Next = { job: JobJson; jobId: string };

/** BullMQ's answer with the next job, or with none. */
export function nextOf(reply: unknown): Next | undefined {
  const [job, jobId] = Array.isArray(reply) ? reply : [];
  return job ? { job: job as JobJson, jobId: String(jobId) } : undefined;
}
