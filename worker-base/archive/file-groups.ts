/**
 * Groups of files that are packed together. A group whose files have not changed needs not be read again. Pure.
 *
 * Where a group ends depends on the names and sizes in it only, so a new file changes one or two groups and not all that
 * follow. Hard links of one file are in one group, because in an archive the later ones refer to the first.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ListedFile } from './list-files.ts';

/** A group ends with the file that reaches this size, */
const FULL_BYTES = 256 * 1024;
/** or whose name has this remainder, which one in 64 has. */
const END_MASK = 63;
/**
 * A file that changes twice within a tick of the clock of its file system can have the same times after both. One that
 * has changed this shortly before it was listed is therefore read again the next time. Milliseconds.
 */
const UNSETTLED_MS = 2000;

export interface FileGroup {
  names: string[];
  /** Equal if no file has changed. */
  fingerprint: string;
  /** Whether an equal fingerprint later means that the files are the same. */
  isSettled: boolean;
}

/** `listedAt` is when the listing began, in milliseconds since 1970. */
export function groupFiles(files: readonly ListedFile[], listedAt: number): FileGroup[] {
  const groups: FileGroup[] = [];
  let group: ListedFile[] = [];
  let bytes = 0;
  for (const file of joinHardLinks(files)) {
    const isLink = group.length > 0 && file.hardLinks && file.inode === group.at(-1)?.inode;
    if (group.length > 0 && !isLink && isEnd(group, bytes)) {
      groups.push(toGroup(group, listedAt));
      group = [];
      bytes = 0;
    }
    group.push(file);
    if (!isLink) bytes += file.size;
  }
  if (group.length > 0) groups.push(toGroup(group, listedAt));
  return groups;
}

const isEnd = (group: ListedFile[], bytes: number) =>
  bytes >= FULL_BYTES || (crc32(group.at(-1)?.name ?? '') & END_MASK) === 0;

/** Further names of a file directly after its first one. */
function joinHardLinks(files: readonly ListedFile[]): ListedFile[] {
  const byInode = new Map<string, ListedFile[]>();
  for (const file of files)
    if (file.hardLinks) byInode.set(file.inode, [...(byInode.get(file.inode) ?? []), file]);
  if (byInode.size === 0) return [...files];
  return files.flatMap((file) => {
    if (!file.hardLinks) return [file];
    const all = byInode.get(file.inode) ?? [];
    return all[0] === file ? all : [];
  });
}

function toGroup(files: ListedFile[], listedAt: number): FileGroup {
  const state = files.map((file) => file.state).join('\0');
  return {
    names: files.map(({ name }) => name),
    fingerprint: createHash('sha256').update(state, 'latin1').digest('base64'),
    isSettled: files.every(({ changedAt }) => changedAt < listedAt - UNSETTLED_MS),
  };
}
