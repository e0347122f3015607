import { TaskError } from '../../../src/model/task/task-error.ts';

/** Types of errors for which another attempt would have the same result. */
const FINAL = new Set(['UnknownFunction', 'NotSerialisable', 'CommandNotStarted']);

/** A failure in the format of the model; an empty `traceback` is omitted. */
export function failure(type: string, message: string, traceback?: string | undefined): TaskError {
  return new TaskError({ type, message, ...(traceback && { traceback }) }, { retry: !FINAL.has(type) });
}

/** The error that the caller of an aborted call gets. */
export function aborted({ reason }: AbortSignal): TaskError {
  if (reason instanceof TaskError) return reason;
  return failure('Aborted', reason instanceof Error ? reason.message : String(reason));
}
