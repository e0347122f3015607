/**
 * All limits on the output of a body, in one place because they depend on each other. A line of the
 * agent becomes pieces, pieces become entries, entries wait in memory and in the spool, and the stream keeps the newest.
 * Imports nothing.
 */

/** Bytes of text in one entry of the output; a longer line is cut into pieces. */
export const PIECE_BYTES = 65_536;
/** Bytes of one line of a protocol; the result of a tool that contains an image has a few million. */
export const LINE_BYTES = 16 * 1024 ** 2;
/** Silence after which an unfinished line is sent: a prompt such as `[y/N] ` waits for an answer. */
export const UNFINISHED_QUIET_MS = 100;
/** An unfinished line that keeps growing, such as a row of dots, is sent at least this often. */
export const UNFINISHED_AGE_MS = 1000;

/** Bytes of a turn's result in the entry of its end; the whole result was sent before, as `message`. */
export const RESULT_BYTES = 16_384;
/** Characters of the agent's last output in `completed`; the whole output is in the stream. */
export const LAST_OUTPUT_CHARACTERS = 16_384;
/** Bytes of a tool's name, and of the id of its use. */
export const TOOL_NAME_BYTES = 1024;

/** Bytes of text that wait in memory before the agent is paused (Redis answers) or the spool is used (it does not). */
export const MEMORY_BYTES = 1024 ** 2;
/** Bytes of spool without WORKER_SPOOL_BYTES: minutes of a busy agent, little on any disk. */
export const SPOOL_BYTES = 256 * 1024 ** 2;

/** Chunks that are sent at once: at 8 of 64 KiB a local Redis takes 100 MB/s, and more only uses memory. */
export const IN_FLIGHT = 8;
/** Entries in one pipeline. */
export const BATCH_ENTRIES = 256;

/** Approximate number of entries that the stream keeps: a day of a talkative agent. A reader sees by `seq` what was trimmed. */
export const OUTPUT_MAXLEN = 10_000;
/**
 * Approximate bytes of entries that the stream keeps. An agent that writes much at once makes entries of 64 KiB: 10,000 of
 * them are 600 MB of Redis's memory for one worker. This is a thousand of them, and 16 such workers use one GiB.
 */
export const OUTPUT_BYTES = 64 * 1024 ** 2;
/**
 * Entries that the stream keeps regardless of their size: the end of the output is more important than the
 * limit.
 */
export const OUTPUT_MINLEN = 64;

/** Characters of a traceback, an error or a printed line in the wrapper's log; the task and the stream have the rest. */
export const LOG_CHARACTERS = 4000;
