import type { TaskError } from '../../../src/model/task/task-error.ts';
import { failure } from './failure.ts';

/** The error of handlers whose process did not start or did not load them. */
export function notStarted(files: string[], reason: string, traceback?: string): TaskError {
  return failure('HandlerNotStarted', `The handlers ${files.join(', ')} can't be used: ${reason}`, traceback);
}

/** Why the program of a handler process could not be started. */
export function describeSpawnError(error: unknown, program: string | undefined, cwd: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT'
    ? `${program} is not installed, or ${cwd} does not exist. Python handlers need Python 3.9 or newer.`
    : `${program}: ${message}`;
}
