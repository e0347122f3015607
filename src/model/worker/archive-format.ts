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
