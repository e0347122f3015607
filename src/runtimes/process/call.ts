import { errorMessage, Fault } from '../../model/index.ts';
import { ActFailed, BodyConflict, BodyRefused, RuntimeDown } from '../runtime.ts';

const PASSED_ON = [BodyConflict, BodyRefused, ActFailed, RuntimeDown, Fault];
/** A full disk, a quota, a disk that has turned read-only: only who writes meets them. */
const WRITERS_ALONE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

/**
 * What goes wrong with files and processes is the engine's failure, reported with what was tried; but for what
 * befalls a write alone. A runtime that counted as away for that would be back at the very next look, and be asked
 * again at once.
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

/** The same for an act on one body: a file of that body which can't be read or deleted is not the engine's failure. */
export async function callBody<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (PASSED_ON.some((kind) => error instanceof kind)) throw error;
    throw new ActFailed(`The process runtime could not ${what}: ${errorMessage(error)}`, { cause: error });
  }
}
