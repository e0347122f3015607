/**
 * Files that are being written: each has a hidden name in its final folder, and gets its own name when it is complete.
 *
 * Invariants: a file is complete under its name, or is not there; a draft that a killed helper has left is removed with the next
 * write to its folder.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import { groupIn } from './group.ts';
import { inFolder } from './place.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const PREFIX = `.worker-manager-${randomBytes(6).toString('hex')}-`;
const DRAFT = /^\.worker-manager-[0-9a-f]{12}-[0-9a-z]+\.part$/;
let count = 0;

/** Whether a name is that of a draft, which is never shown. */
export const isDraft = (name: Buffer): boolean => name.length < 64 && DRAFT.test(name.toString('latin1'));

export interface Draft {
  fd: number;
  /**
   * Gives it its name, in place of what has that name. `quickly` removes an old file first: ext4 writes a file that replaces another
   * one to the disk at once, which takes longer than everything else.
   */
  commit(name: Buffer, quickly?: boolean): void;
  /** Gives it its name. If something has that name, it is the error EEXIST of the kernel, which no other program can get ahead of. */
  commitNew(name: Buffer): void;
  /** Removes it, unless it was committed. */
  close(): void;
}

/** Creates a draft in an opened folder. `mode` is exact; without it, it is that of any new file. */
export function createDraft(
  folder: number,
  mode: number | undefined,
  group: number | undefined = groupIn(folder),
): Draft {
  count += 1;
  const file = inFolder(folder, Buffer.from(`${PREFIX}${count.toString(36)}.part`));
  const fd = openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
  let left = true;
  const draft: Draft = {
    fd,
    commit(name, quickly = false) {
      if (quickly) removeIfThere(inFolder(folder, name));
      renameSync(file, inFolder(folder, name));
      left = false;
    },
    commitNew(name) {
      try {
        linkSync(file, inFolder(folder, name));
      } catch (error) {
        // A file system without hard links.
        if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP'].includes((error as NodeJS.ErrnoException).code ?? ''))
          throw error;
        draft.commit(name);
      }
    },
    close() {
      closeSync(fd);
      if (left) removeIfThere(file);
    },
  };
  try {
    if (group !== undefined) fchownSync(fd, -1, group);
    if (mode !== undefined) fchmodSync(fd, mode);
    return draft;
  } catch (error) {
    draft.close();
    throw error;
  }
}

/** Folders without drafts of earlier helpers: the device and the inode. To read a large folder with each write would take long. */
const clean = new Set<string>();
const MOST_CLEAN = 10_000;

/** Removes the drafts in a folder that an earlier helper has left, with the first write to it: only one helper runs at a time. */
export function removeOldDrafts(folder: number): void {
  const { dev, ino } = fstatSync(folder, { bigint: true });
  const key = `${dev} ${ino}`;
  if (clean.has(key)) return;
  if (clean.size >= MOST_CLEAN) clean.clear();
  clean.add(key);
  for (const name of readdirSync(inFolder(folder), { encoding: 'buffer' })) {
    if (!isDraft(name) || name.toString('latin1').startsWith(PREFIX)) continue;
    removeIfThere(inFolder(folder, name));
  }
}

function removeIfThere(file: Buffer): void {
  try {
    unlinkSync(file);
  } catch {
    // What cannot be removed is replaced, or was removed with its folder.
  }
}
