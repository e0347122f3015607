/** Steps on the file system that the store of checkpoints is made of, each safe against crashes and other managers. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, readdir, readFile, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Errors of file systems that have no hard links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS', 'EXDEV']);

export const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

/** The result, or `undefined` if the file does not exist. */
export async function ifThere<T>(action: Promise<T>): Promise<T | undefined> {
  try {
    return await action;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes a file that did not exist, to the disk. */
export async function writeSynced(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes renames and links in a folder durable; some network mounts cannot do that, and do it anyway. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  await folder.sync().catch(() => {});
  await folder.close();
}

/**
 * Makes a file and an equal one in `objects` the same file, so that its bytes are stored once. The number of links, which
 * the file system counts, says whether it is still needed. On a file system without links, nothing happens.
 */
export async function shareContent(path: string, object: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      await link(path, object);
      return;
    } catch (error) {
      if (NO_LINKS.has(codeOf(error) ?? '')) return;
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const same = `${path}.${randomUUID()}`;
    try {
      await link(object, same);
      // What a failing disk has cut off is not the same content.
      const [own, other] = await Promise.all([stat(path), stat(same)]);
      if (own.size === other.size) await rename(same, path);
      else await unlink(same);
      return;
    } catch (error) {
      if (NO_LINKS.has(codeOf(error) ?? '')) return;
      // It was deleted meanwhile.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}

/** Deletes an object that no checkpoint uses. */
export async function dropUnused(object: string): Promise<void> {
  const found = await ifThere(stat(object));
  if (found?.nlink === 1) await ifThere(unlink(object));
}

/** Moves a folder out of sight in one step, and then deletes it. False if it does not exist. */
export async function removeFolder(path: string, hidden: string): Promise<boolean> {
  if ((await ifThere(rename(path, hidden).then(() => true))) === undefined) return false;
  await rm(hidden, { recursive: true, force: true });
  return true;
}

/** Names in a folder; none if it does not exist. */
export const namesIn = async (path: string): Promise<string[]> => (await ifThere(readdir(path))) ?? [];

/** Deletes the entries of a folder in which nothing has changed for that long. */
export async function removeStale(folder: string, ms: number, now: number): Promise<void> {
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const inside = await namesIn(path).catch(() => []);
    const times = await Promise.all(
      [path, ...inside.map((one) => join(path, one))].map(async (one) => (await ifThere(stat(one)))?.mtimeMs),
    );
    if (Math.max(...times.map((time) => time ?? 0)) < now - ms)
      await rm(path, { recursive: true, force: true });
  }
}

/** The text of a file; undefined if it does not exist. */
export const readIfAny = (path: string): Promise<string | undefined> => ifThere(readFile(path, 'utf8'));

/** Whether an error says that the disk is full. */
export const isFull = (error: unknown) => ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(codeOf(error) ?? '');

/** Whether nothing can be written at the moment, while everything can be read. */
const isUnwritable = (error: unknown) => isFull(error) || ['EROFS', 'EACCES'].includes(codeOf(error) ?? '');

/** Creates an empty file; false if its folder does not exist. What cannot be written at the moment can be used without. */
export async function placeMark(path: string): Promise<boolean> {
  const marked = writeFile(path, '').catch((error: unknown) => {
    if (!isUnwritable(error)) throw error;
  });
  return (await ifThere(marked.then(() => true))) === true;
}

/** Sets the time of a file again and again, until the function that is returned removes it. */
export function holdMark(path: string, ms: number, now: () => number): () => void {
  const renewing = setInterval(() => {
    const at = new Date(now());
    void utimes(path, at, at).catch(() => {});
  }, ms);
  renewing.unref();
  return () => {
    clearInterval(renewing);
    void unlink(path).catch(() => {});
  };
}
