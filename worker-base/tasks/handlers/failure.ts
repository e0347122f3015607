import { TaskError } from '../../../src/model/task-error.ts';

/** Of these, another attempt would end the same. */
const FINAL = new Set(['UnknownFunction', 'NotSerialisable', 'CommandNotStarted']);

/** A failure as the model has it; `traceback` is left out where it is empty. */
export function failure(type: string, message: string, traceback?: string | undefined): TaskError {
  return new TaskError({ type, message, ...(traceback && { traceback }) }, { retry: !FINAL.has(type) });
}

/** The error that the caller of an aborted call gets. */
export function aborted({ reason }: AbortSignal): TaskError {
  if (reason instanceof TaskError) return reason;
  return failure('Aborted', reason instanceof Error ? reason.message : String(reason));
}
