import type { TaskPriority } from '../model/task/task.ts';

/** Higher numbers are taken later; 0 is BullMQ's "before all others", which no class uses. */
export const RANK: Record<TaskPriority, number> = { critical: 1, high: 2, normal: 3, low: 4 };

/** Stalls that BullMQ allows a job. A task that allows fewer losses starts with as many of them used up. */
export const LOSS_LIMIT = 100;
/** Default number of times that a task is given to another worker after its worker died. */
export const MAX_LOSSES = 3;

/**
 * The keys of a pool's queue in Redis. Job keys start with `t.`, so that no task has the name of one of the queue's
 * own keys.
 */
export interface QueueKeys {
  prefix: string;
  /** The prefix of every key of the queue. */
  base: string;
  key(name: string): string;
  job(taskId: string): string;
  /** Pub/sub channel for the cancellation of running tasks. */
  control: string;
}

/** BullMQ's prefix in a cell. */
export const getTaskPrefix = (cell: string): string => (cell === 'default' ? 'task' : `${cell}:task`);
/** Set of the pools that have a queue. */
export const poolsKey = (cell: string): string => `${getTaskPrefix(cell)}:pools`;

export const toJobId = (taskId: string): string => `t.${taskId}`;
/** The task's ID; for a job that is not a task of ours, the job's own ID. */
export const toTaskId = (jobId: string): string => (jobId.startsWith('t.') ? jobId.slice(2) : jobId);
export const isTaskJobId = (jobId: string): boolean => /^t\.[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(jobId);

export function getQueueKeys(cell: string, pool: string): QueueKeys {
  const prefix = getTaskPrefix(cell);
  const base = `${prefix}:${pool}:`;
  return {
    prefix,
    base,
    key: (name) => base + name,
    job: (taskId) => base + toJobId(taskId),
    control: `${base}control`,
  };
}
