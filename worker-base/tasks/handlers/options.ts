import type { Piece } from '../../streams/entry.ts';

/** The options of a worker's slots. */
export interface SlotOptions {
  /**
   * Absolute paths of the handler files: `.py`, or `.js .mjs .cjs .ts .mts .cts`. Both are allowed. If empty:
   * commands only.
   */
  handlers: string[];
  /** The working directory of functions and commands. */
  cwd: string;
  /** Their whole environment; nothing is inherited. */
  env: Record<string, string>;
  /**
   * Receives printed output, even between tasks (`taskId` undefined): whole lines, in order, at most
   * PIECE_BYTES each.
   */
  onOutput(stream: 'stdout' | 'stderr', piece: Piece, taskId: string | undefined): void;
  /** Converts an argv to the one that is started (another user, system rules); unchanged if absent. */
  wrap?: (argv: string[]) => string[];
  /** Kills every process with the mark in its environment; if absent, those that this user can see. */
  killMarked?: (group: number, mark: string) => Promise<void>;
  /** Whether a process that has just died by SIGKILL was killed because memory ran out; undefined if unknown. */
  outOfMemory?: () => boolean | undefined;
  /** Milliseconds between SIGTERM and SIGKILL of an aborted task; default 2,000. */
  graceMs?: number;
  /** Milliseconds within which the handler files must be loaded; default 60,000. */
  startMs?: number;
  /** Programs; default `python3` in PATH, and the current Node. */
  python?: string;
  node?: string;
  /** The directory of runner.py and runner.mjs; default: beside this program or its bundle. */
  directory?: string;
}

/** A function by its name, or a command. */
export type TaskCall = { task_id: string } & (
  | { function: string; args?: unknown[] | undefined; kwargs?: Record<string, unknown> | undefined }
  | { command: string[] }
);

export interface CallHooks {
  /**
   * Aborts the call: SIGTERM to all of its processes, the grace period, SIGKILL. The message of its reason is
   * reported.
   */
  signal?: AbortSignal | undefined;
  /** Receives the values of `worker_manager.progress(value)`. */
  onProgress?: ((value: unknown) => void) | undefined;
}

/** The result of a command that ended with exit code 0; any other end is a TaskError. */
export interface CommandOutput {
  exit_code: 0;
  /** The last 64 KiB of its stdout. */
  stdout: string;
  /** Whether stdout was longer than that. */
  truncated: boolean;
}
