import { type BigIntStats, readlinkSync } from 'node:fs';
import type { FileReport } from '../../../src/model/doors/file.ts';
import type { FilePlace } from './place.ts';

/** What clients get to know of a file. */
export function describeFile(
  { file, path, name }: Pick<FilePlace, 'file' | 'path' | 'name'>,
  stats: BigIntStats,
): FileReport {
  const type = toFileType(stats);
  return {
    name: name?.toString() ?? '',
    path,
    type,
    size: Number(stats.size),
    mode: modeOf(stats),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    modified_at: timeOf(stats),
    etag: etagOf(stats),
    ...(type === 'symlink' && { target: targetOf(file) }),
  };
}

export function toFileType(stats: BigIntStats): FileReport['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}

/** The permissions as `chmod` has them. */
export const modeOf = ({ mode }: BigIntStats): string => (Number(mode) & 0o7777).toString(8).padStart(4, '0');

export const timeOf = ({ mtimeMs }: BigIntStats): string =>
  // A time outside of what Date can hold is possible on a file.
  new Date(Math.max(-8.64e15, Math.min(8.64e15, Number(mtimeMs)))).toISOString();

/** Changes with the content. Unlike the time of modification, that of the last change cannot be set back by a program. */
export const etagOf = ({ ino, size, ctimeNs }: BigIntStats): string =>
  `"${ino.toString(36)}-${size.toString(36)}-${ctimeNs.toString(36)}"`;

function targetOf(file: Buffer): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
