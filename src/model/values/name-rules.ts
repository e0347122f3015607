/** The rules for names that users choose. Without zod, because bodies load them. */

export interface NameRule {
  pattern: RegExp;
  /** The allowed names, as the end of "must be …". */
  allowed: string;
}

/** A pool: it becomes part of keys, labels, metrics and paths. */
export const POOL_NAME: NameRule = {
  pattern: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  allowed: 'at most 63 of a-z, 0-9 and - (as a DNS label)',
};

/** What the workers of a pool are named and counted by. */
export const WORKER_TYPE: NameRule = {
  pattern: /^[a-z0-9]([a-z0-9_-]{0,38}[a-z0-9])?$/,
  allowed: 'at most 40 of a-z, 0-9, _ and -',
};

/** A worker; unique among those that have not ended. */
export const WORKER_NAME: NameRule = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/,
  allowed: '1 to 128 letters, digits and _ . -, starting with a letter or digit',
};

/** A file in SECRETS_DIR. */
export const SECRET_NAME: NameRule = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/,
  allowed: 'the name of a secret',
};

/** A task within its pool. */
export const TASK_ID: NameRule = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
  allowed: '1 to 128 letters, digits and . _ -',
};

/** A cell: it becomes part of keys, labels and the names of networks. */
export const CELL_NAME: NameRule = {
  pattern: /^[a-z0-9][a-z0-9-]{0,31}$/,
  allowed: '1 to 32 of a-z, 0-9 and -, not starting with -',
};
