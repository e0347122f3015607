import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  type Stats,
} from 'node:fs';

/**
 * Reads files that a body may have replaced. A symbolic link is not followed, a pipe or device does not
 * block, and only a regular file is read, up to a limit. Synchronous, because a list reads hundreds of
 * one-line files and a promise for each costs more than the read.
 */

/** Without O_NONBLOCK, opening a FIFO waits for a writer; O_NOCTTY keeps a terminal from becoming ours. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
/**
 * Errors of an open or read that mean absent or not a regular file: a link (ELOOP), a socket (ENXIO), a
 * device without a driver (ENODEV, ENXIO), a file that this user cannot read (EACCES, EPERM).
 */
const NOT_A_FILE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'ENODEV', 'EISDIR', 'EACCES', 'EPERM']);

/** Up to `limit` bytes of a regular file, from its start or its end; `undefined` if there is none. */
export function readRegular(
  path: string,
  limit: number,
  from: 'start' | 'end' = 'start',
): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, FLAGS);
  } catch (error) {
    return noFile(error);
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return undefined;
    const buffer = Buffer.alloc(Math.min(limit, stats.size));
    const position = from === 'end' ? stats.size - buffer.length : 0;
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, position));
  } catch (error) {
    return noFile(error);
  } finally {
    closeSync(fd);
  }
}

/** When a regular file or a directory was written, in milliseconds since 1970; `undefined` for anything else. */
export function writtenAt(path: string): number | undefined {
  try {
    const stats = lstatSync(path);
    return stats.isFile() || stats.isDirectory() ? Math.round(stats.mtimeMs) : undefined;
  } catch (error) {
    return noFile(error);
  }
}

/** What is at a path, without following a link; `undefined` if there is nothing. */
export function lstatIfAny(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    return nothing(error);
  }
}

/** The path without links; `undefined` if there is nothing. */
export function realpathIfAny(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch (error) {
    return nothing(error);
  }
}

function noFile(error: unknown): undefined {
  if (NOT_A_FILE.has(errnoCode(error) ?? '')) return undefined;
  throw error;
}

/** The code of a system error, such as `ENOENT`. */
export const errnoCode = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code;

/** A catch handler that ignores a missing file and rethrows other errors. */
export function nothing(error: unknown): undefined {
  if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ENOTDIR') return undefined;
  throw error;
}
