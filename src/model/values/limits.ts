/** Bounds and intervals of the wire. Without zod, because bodies load them. */

export const DAY_SECONDS = 86_400;
/** The longest that a user can ask a command of the command line to wait, or a record to be kept: ten years. */
export const LONGEST_SECONDS = 3650 * DAY_SECONDS;

/** Maximum length of `instructions` and `prompt`, in characters; commands are stored in Redis, which is not for files. */
export const TEXT_LIMIT = 262_144;
/** Maximum length of a message's `request_id`, in characters. */
export const REQUEST_ID_LIMIT = 128;
/** Maximum of a prompt's `deadline_seconds`: a week. */
export const PROMPT_DEADLINE_SECONDS = 7 * DAY_SECONDS;
/** Maximum timeout of a task's attempt: a week. */
export const TASK_TIMEOUT_LIMIT_SECONDS = 7 * DAY_SECONDS;
/** Interval between heartbeats of a wrapper, in milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 5000;

/** Longest time that `timeout_seconds` gives a process in a worker: a week. */
export const EXEC_SECONDS = 7 * DAY_SECONDS;
/** Maximum length of one argument, path or value of a variable, in characters: the kernel takes 128 KiB (execve(2)). */
export const EXEC_TEXT_LIMIT = 131_072;
/** Characters of a path: the longest of Linux (PATH_MAX). */
export const EXEC_PATH_LIMIT = 4096;
/** Maximum number of a command's words, and of its variables. */
export const EXEC_ARGUMENT_LIMIT = 4096;
export const EXEC_ENV_LIMIT = 1024;
/** Names of variables. */
export const EXEC_VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Maximum columns and rows of a terminal. */
export const TERMINAL_CELLS = 1000;
/** Size of a terminal whose client gives none. */
export const TERMINAL_SIZE = { cols: 80, rows: 24 } as const;
/** How long a terminal is kept without viewers: by default, and at most. */
export const TERMINAL_LINGER_SECONDS = 600;
export const TERMINAL_LINGER_LIMIT_SECONDS = 7 * DAY_SECONDS;

/** Bytes of a file in a message on the input stream, and of its answer on the output stream. */
export const FILE_MESSAGE_BYTES = 8 * 1024 ** 2;
