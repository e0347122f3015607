import type { DefaultLimits } from '../runtime.ts';

/** The options of the process runtime. */
export interface ProcessRuntimeOptions {
  /** Must be validated by the caller, because it becomes part of a path. */
  cell: string;
  /** Stores the bodies' directories across restarts of the manager and of the machine. */
  root: string;
  /** The command of a body, such as `[process.execPath, '/opt/wrapper.mjs']`. */
  wrapper: { argv: string[] };
  /** PROCESS_USER: the user that bodies run as. Defaults to the manager's own. */
  user?: string | undefined;
  /** Files and folders besides the wrapper that a body must be able to read. */
  programs?: string[];
  /** Limits of bodies whose spec has none. */
  defaults?: DefaultLimits | undefined;
  now?: () => number;
  /** Interval of full resyncs for events that no file reports, in milliseconds. */
  poll_ms?: number;
  /** `false` if something else manages the cgroup tree; limits then rely on rlimits only. */
  cgroups?: boolean;
  /** Timeout of a wrapper that does not read its secrets, in milliseconds. */
  deliver_ms?: number;
}
