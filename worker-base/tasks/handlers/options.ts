import type { Piece } from '../../streams/entry.ts';

/** What a worker's slots are made of. */
export interface SlotOptions {
  /** Absolute paths of the handler files: `.py`, or `.js .mjs .cjs .ts .mts .cts`. Both may be there. None: commands only. */
  handlers: string[];
  /** The working directory of functions and commands. */
  cwd: string;
  /** Their whole environment; nothing is inherited. */
  env: Record<string, string>;
  /** What is printed, also between tasks (`taskId` undefined). Whole lines, in order, each piece at most PIECE_BYTES. */
  onOutput(stream: 'stdout' | 'stderr', piece: Piece, taskId: string | undefined): void;
  /** Turns an argv into the one that is started (another user, rules of the system); as it is where absent. */
  wrap?: (argv: string[]) => string[];
  /** Ends every process that carries the mark in its environment; if absent, those that this user can see. */
  killMarked?: (group: number, mark: string) => Promise<void>;
  /** Whether a process that has just died by SIGKILL was killed because memory ran out; undefined if unknown. */
  outOfMemory?: () => boolean | undefined;
  /** Between SIGTERM and SIGKILL of an aborted task; default 2,000. */
  graceMs?: number;
  /** By when the handler files must be loaded; default 60,000. */
  startMs?: number;
  /** Programs; default `python3` by PATH, and the Node that runs this. */
  python?: string;
  node?: string;
  /** Where runner.py and runner.mjs are; default: beside this program, wherever it was bundled to. */
  directory?: string;
}

/** A function by its name, or a command. */
export type TaskCall = { task_id: string } & (
  | { function: string; args?: unknown[] | undefined; kwargs?: Record<string, unknown> | undefined }
  | { command: string[] }
);

export interface CallHooks {
  /**
   * Ends the call for real: SIGTERM to all of its processes, the grace, SIGKILL. The message of its reason is
   * reported.
   */
  signal?: AbortSignal | undefined;
  /** What the function says by `worker_manager.progress(value)`. */
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
