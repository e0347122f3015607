import type { DefaultLimits } from '../runtime.ts';

/** The options of the process runtime. */
export interface ProcessRuntimeOptions {
  /** Checked before it comes here: it becomes a part of a path. */
  cell: string;
  /** Where the bodies' directories are kept, over restarts of the manager and of the machine. */
  root: string;
  /** What a body runs, such as `[process.execPath, '/opt/wrapper.mjs']`. */
  wrapper: { argv: string[] };
  /** PROCESS_USER: the user that bodies run as. Without it, the manager's own. */
  user?: string | undefined;
  /** Files and folders that a body has to read besides the wrapper. */
  programs?: string[];
  /** Of bodies whose spec names none. */
  defaults?: DefaultLimits | undefined;
  now?: () => number;
  /** Between two looks at all bodies for hints that no file gave, in milliseconds. */
  poll_ms?: number;
  /** `false` where the cgroup tree is another one's business; limits are then what rlimits can do. */
  cgroups?: boolean;
  /** Until a wrapper that does not read its secrets is given up, in milliseconds. */
  deliver_ms?: number;
}
