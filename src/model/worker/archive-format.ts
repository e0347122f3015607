/** How the archives of workspaces are packed and sent. Loads no zod. */

/** The formats of archives; the first is used if the wrapper's Node supports it. */
export const ARCHIVE_FORMATS = ['tar.zst', 'tar.gz'] as const;
export type ArchiveFormat = (typeof ARCHIVE_FORMATS)[number];

export const ARCHIVE_TYPES: Record<ArchiveFormat, string> = {
  'tar.zst': 'application/zstd',
  'tar.gz': 'application/gzip',
};

/**
 * The type of a response that sends an archive in parts: chunks, and references to chunks that the receiver has. The header
 * `x-archive-format` names the format that the chunks have when they are put together.
 */
export const ARCHIVE_PARTS_TYPE = 'application/vnd.worker-manager.archive-parts';
export const ARCHIVE_FORMAT_HEADER = 'x-archive-format';

/** A part begins with its kind, one byte, and the length of the chunk, four bytes. */
export const PART_HEAD_BYTES = 5;
/** The bytes of a chunk, its SHA-256, or nothing. */
export const PART_KINDS = { chunk: 0, known: 1, end: 2 } as const;
/** The longest chunk. Bytes of files are cut before they are compressed, which may make them a little longer. */
export const LONGEST_CHUNK = 2 * 1024 * 1024;

/** Trailer of an archive: what tar could not read, as JSON. */
export const ARCHIVE_WARNINGS = 'x-archive-warnings';

/** How the changes of a workspace are shown: as a patch, as statistics, as names, or the repository as a bundle. */
export const CHANGES_FORMATS = ['patch', 'stat', 'names', 'bundle'] as const;
export type ChangesFormat = (typeof CHANGES_FORMATS)[number];

export const CHANGES_TYPES: Record<ChangesFormat, string> = {
  patch: 'text/x-diff; charset=utf-8',
  stat: 'text/plain; charset=utf-8',
  names: 'text/plain; charset=utf-8',
  bundle: 'application/x-git-bundle',
};

/** The ID of a commit, as git prints it. */
export const COMMIT_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
