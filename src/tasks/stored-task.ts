/** Writes and reads the stored form of a task. Any program can write to Redis, so reading never throws. */

import type { Task, TaskBackoff, TaskPayload, TaskPriority } from '../model/task/task.ts';
import type { TaskFailure } from '../model/task/task-error.ts';
import { TASK_RESULT_LIMIT } from '../model/task/task-limits.ts';
import { takeHead } from '../model/values/cut.ts';
import { readBoundedJson } from '../model/values/json-depth.ts';
import { DAY_SECONDS, TASK_TIMEOUT_LIMIT_SECONDS } from '../model/values/limits.ts';
import { RANK } from './queue-keys.ts';

/** The content of a job's `data`: all that the worker needs. */
export interface Stored {
  payload: TaskPayload;
  timeout_seconds?: number | undefined;
  /** Missing fields have their defaults. */
  backoff?: Partial<TaskBackoff> | undefined;
  max_losses?: number | undefined;
}

const PRIORITY = Object.fromEntries(Object.entries(RANK).map(([name, rank]) => [rank, name])) as Record<
  number,
  TaskPriority
>;
export const toPriority = (rank: number): TaskPriority => PRIORITY[rank] ?? 'normal';

export const toStored = ({ payload, timeout_seconds, backoff, max_losses }: Task): string =>
  JSON.stringify({ payload, timeout_seconds, backoff, max_losses } satisfies Stored);

const DEFAULT_BACKOFF: TaskBackoff = { type: 'exponential', delay_seconds: 1, max_delay_seconds: 300 };

/** Milliseconds between the `made`-th attempt (1 for the first) and the next. */
export function retryBackoffMs(made: number, backoff: Partial<TaskBackoff> = {}): number {
  const { type, delay_seconds, max_delay_seconds } = { ...DEFAULT_BACKOFF, ...backoff };
  const factor = type === 'fixed' ? 1 : 2 ** Math.min(made - 1, 30);
  return Math.round(Math.min(delay_seconds * factor, max_delay_seconds) * 1000);
}

/**
 * The content of `data`, or why it cannot be read. It has the same rules as `taskSubmission`, without its
 * schema, which would be half of the code that a worker loads, and most of the work for a short task.
 */
export function readStored(text: string): Stored | string {
  if (text.length > TASK_RESULT_LIMIT)
    return `its field data has ${text.length} characters; the limit is ${TASK_RESULT_LIMIT}`;
  const read = readBoundedJson(text);
  if (!read) return 'its field data is not JSON, or nested too deeply';
  const { value } = read;
  if (!isRecord(value)) return 'its field data must be a JSON object';
  const { payload, timeout_seconds, backoff, max_losses } = value;
  const wrong =
    wrongPayload(payload) ??
    wrongNumber('timeout_seconds', timeout_seconds, 0.001, TASK_TIMEOUT_LIMIT_SECONDS) ??
    wrongNumber('max_losses', max_losses, 0, 100) ??
    wrongBackoff(backoff);
  return wrong ?? (value as unknown as Stored);
}

function wrongPayload(payload: unknown): string | undefined {
  if (!isRecord(payload)) return 'payload must be {function, args?, kwargs?}, {command} or {prompt}';
  const { function: name, args = [], kwargs = {}, command, prompt } = payload;
  const kinds = [name, command, prompt].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) return 'payload must have one of function, command and prompt';
  if (command !== undefined)
    return isTexts(command) && command.length > 0 ? undefined : 'payload.command must be a list of strings';
  if (typeof (name ?? prompt) !== 'string')
    return `payload.${name === undefined ? 'prompt' : 'function'} must be a string`;
  if (!Array.isArray(args)) return 'payload.args must be a list';
  return isRecord(kwargs) ? undefined : 'payload.kwargs must be an object';
}

function wrongBackoff(backoff: unknown): string | undefined {
  if (backoff === undefined) return undefined;
  if (!isRecord(backoff)) return 'backoff must be an object';
  const { type, delay_seconds, max_delay_seconds } = backoff;
  if (type !== undefined && type !== 'fixed' && type !== 'exponential')
    return 'backoff.type must be fixed or exponential';
  return (
    wrongNumber('backoff.delay_seconds', delay_seconds, 0, DAY_SECONDS) ??
    wrongNumber('backoff.max_delay_seconds', max_delay_seconds, 0, DAY_SECONDS)
  );
}

function wrongNumber(path: string, value: unknown, least: number, most: number): string | undefined {
  if (value === undefined || (typeof value === 'number' && value >= least && value <= most)) return undefined;
  return `${path} must be a number from ${least} to ${most}`;
}

/** The failure of a task whose stored form no worker can read. */
export const toUnreadableFailure = (reason: string): TaskFailure => ({
  type: 'Unreadable',
  message: `The data of this task in Redis cannot be read: ${reason}.`,
});

/** Values that BullMQ itself writes to `failedReason`. */
const STALLED = 'job stalled more than allowable limit';
const LOST =
  'Every worker that ran this task died, and max_losses is reached; it is not given to another worker.';
/** Characters of a foreign reason that are shown. */
const SHOWN = 1000;

/** A failure as stored in `failedReason`. */
export function toFailure(text: string): TaskFailure {
  if (text === STALLED) return { type: 'WorkerLost', message: LOST };
  const failure = readBoundedJson(text)?.value;
  if (isRecord(failure) && isTexts([failure.type, failure.message, failure.traceback ?? ''])) {
    const { type, message, traceback } = failure as unknown as TaskFailure;
    return { type, message, ...(traceback && { traceback }) };
  }
  return { type: 'Error', message: takeHead(text, SHOWN) || 'It failed without a reason.' };
}

export const isCancelled = (failure: TaskFailure | null | undefined): boolean =>
  failure?.type === 'Cancelled';

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((text) => typeof text === 'string');
