/**
 * Jobs as Redis holds them. Any program with access to Redis can write to a queue, so each job is read on its own and
 * field by field; one that cannot be read carries the reason, and fails with it instead of stopping the worker.
 */
import type { TaskFailure } from '../model/task/task-error.ts';
import { isTaskJobId } from './queue-keys.ts';
import { readStored, type Stored, toUnreadableFailure } from './stored-task.ts';

/** A job's own fields, as far as a worker needs them. */
export interface Job {
  /** Attempts that started, including this one, and attempts that ended. */
  attemptsStarted: number;
  attemptsMade: number;
  /** Attempts that the task may have. */
  attempts: number;
  priority: number;
  /** Milliseconds since 1970 of its submission. */
  timestamp: number;
  /** A failure that was decided elsewhere: the task ends with it without being started. */
  deferredFailure: string | undefined;
}

/** A task that this worker has taken from Redis. */
export interface Next {
  jobId: string;
  job: Job;
  /** The content of the task, or why it cannot be read. */
  stored: Stored | { unreadable: TaskFailure };
}

/** Fields by which BullMQ ties a job to others; ours have none, and its scripts fail on wrong ones. */
const TIES = ['parent', 'parentKey', 'deid', 'rjk'];

/** Counters that BullMQ's scripts add to. */
const COUNTS = ['ats', 'atm', 'stc', 'priority'];

/** BullMQ's commands whose reply may bring a job. */
const TAKES = new Set(['moveToActive', 'moveToFinished', 'moveToDelayed']);

/** The reply of a BullMQ command, with its job decoded by `readTakenJob`. `command` is `<name>:<version>`. */
export function readTakenJob(command: string, reply: unknown): unknown {
  const takes = TAKES.has(command.split(':')[0] ?? '') && Array.isArray(reply) && Array.isArray(reply[0]);
  if (!takes) return reply;
  // BullMQ decodes the first element and passes the second one on as it is.
  return [[], readJob(String(reply[1]), reply[0]), reply[2], reply[3]];
}

/** The job that `readTakenJob` put into a reply; undefined if it has none. */
export function parseNext(reply: unknown): Next | undefined {
  const next = Array.isArray(reply) ? reply[1] : undefined;
  return typeof next === 'object' && next !== null ? (next as Next) : undefined;
}

/** Never throws. `flat`: names and values in turn, as HGETALL replies. */
export function readJob(jobId: string, flat: readonly unknown[]): Next {
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < flat.length; at += 2) fields.set(String(flat[at]), String(flat[at + 1]));
  const job: Job = {
    attemptsStarted: parseWholeNumber(fields.get('ats')) ?? 1,
    attemptsMade: parseWholeNumber(fields.get('atm')) ?? 0,
    attempts: parseAttempts(fields.get('opts')) ?? 1,
    priority: parseWholeNumber(fields.get('priority')) ?? 0,
    timestamp: parseWholeNumber(fields.get('timestamp')) ?? 0,
    deferredFailure: fields.get('defa') || undefined,
  };
  return { jobId, job, stored: readFields(jobId, fields) };
}

function readFields(jobId: string, fields: ReadonlyMap<string, string>): Next['stored'] {
  if (!isTaskJobId(jobId)) return toUnreadable('its ID is not a task ID');
  const tie = TIES.find((name) => fields.has(name));
  if (tie !== undefined) return toUnreadable(`its field ${tie} links it to other jobs`);
  if (parseAttempts(fields.get('opts')) === undefined)
    return toUnreadable('its field opts must be JSON with attempts, a number from 1 to 101');
  if (parseWholeNumber(fields.get('timestamp')) === undefined)
    return toUnreadable('its field timestamp must be milliseconds since 1970');
  const count = COUNTS.find((name) => fields.has(name) && parseWholeNumber(fields.get(name)) === undefined);
  if (count !== undefined) return toUnreadable(`its field ${count} must be a whole number`);
  const data = fields.get('data');
  if (data === undefined) return toUnreadable('its field data is missing');
  const stored = readStored(data);
  return typeof stored === 'string' ? toUnreadable(stored) : stored;
}

const toUnreadable = (reason: string) => ({ unreadable: toUnreadableFailure(reason) });

/** Reads a number from a field: at most the last instant that a Date supports. */
export function parseWholeNumber(text: string | null | undefined): number | undefined {
  if (!text || !/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= 8.64e15 ? value : undefined;
}

/** The number of attempts that a job's options allow. */
export function parseAttempts(opts: string | null | undefined): number | undefined {
  const attempts = /^\{"attempts":(\d{1,3})\}$/.exec(opts ?? '')?.[1];
  if (attempts === undefined) return undefined;
  const value = Number(attempts);
  return value >= 1 && value <= 101 ? value : undefined;
}
