/** How the archives of workspaces are packed and sent. Loads no zod. */

/** The formats of archives; the first is used if the wrapper's Node supports it. */
export const ARCHIVE_FORMATS = ['tar.zst', 'tar.gz'] as const;
export type ArchiveFormat = (typeof ARCHIVE_FORMATS)[number];

export const ARCHIVE_TYPES: Record<ArchiveFormat, string> = {
  'tar.zst': 'application/zstd',
  'tar.gz': 'application/gzip',
};

/** Trailer of an archive: what tar could not read, as JSON. */
export const ARCHIVE_WARNINGS = 'x-archive-warnings';
