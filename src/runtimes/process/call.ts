import { errorMessage, Fault } from '../../model/index.ts';
import { ActFailed, BodyConflict, BodyRefused, RuntimeDown } from '../runtime.ts';

const PASSED_ON = [BodyConflict, BodyRefused, ActFailed, RuntimeDown, Fault];
/** Errors that affect only writes: a full disk, a quota, a read-only file system. */
const WRITERS_ALONE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

/**
 * Reports file and process errors as engine failures, with the operation that failed. Errors that affect only
 * writes are excluded: if they marked the runtime as down, the next check would mark it as up again and the
 * write would be retried immediately.
 */
export async function call<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (PASSED_ON.some((kind) => error instanceof kind)) throw error;
    const Kind = WRITERS_ALONE.has((error as NodeJS.ErrnoException).code ?? '') ? ActFailed : RuntimeDown;
    throw new Kind(`The process runtime could not ${what}: ${errorMessage(error)}`, { cause: error });
  }
}

/**
 * The same for an operation on one body: an unreadable or undeletable file of that body is not an engine
 * failure.
 */
export async function callBody<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (PASSED_ON.some((kind) => error instanceof kind)) throw error;
    throw new ActFailed(`The process runtime could not ${what}: ${errorMessage(error)}`, { cause: error });
  }
}
