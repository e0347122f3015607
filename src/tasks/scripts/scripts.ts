/**
 * Operations that BullMQ has no command for, as Lua scripts beside its own. Each one is atomic.
 *
 * They read and write BullMQ's keys as its 6.7 does (`wait`, `prioritized`, `delayed`, `active`, `failed`, `stalled`, `marker`,
 * `pc`, and hashes with `data`, `opts`, `timestamp`, `processedOn`, `finishedOn`, `returnvalue`, `failedReason`, `atm`, `ats`,
 * `stc`, `pb`, `defa`; ours are `tp`, the trace, and `rk`). So BullMQ is pinned to one version, and `test/tasks/layout.real.test.ts` fails if its keys change.
 */

import {
  cancelLua,
  datedLua,
  endedLua,
  oldestLua,
  retryLua,
  submitLua,
  viewLua,
  whoseLua,
} from './client-scripts.ts';
import {
  asideLua,
  longestLua,
  mendLua,
  progressLua,
  releaseLua,
  renewLua,
  uncountLua,
} from './worker-scripts.ts';

/** The scripts for ioredis, with the number of keys of each. */
export const SCRIPTS = {
  taskSubmit: { lua: submitLua, numberOfKeys: 10 },
  taskView: { lua: viewLua, numberOfKeys: 5, readOnly: true },
  taskCancel: { lua: cancelLua, numberOfKeys: 6 },
  taskRetry: { lua: retryLua, numberOfKeys: 7 },
  taskEnded: { lua: endedLua, numberOfKeys: 2, readOnly: true },
  taskDated: { lua: datedLua, numberOfKeys: 1, readOnly: true },
  taskLongest: { lua: longestLua, numberOfKeys: 1 },
  taskRenew: { lua: renewLua, numberOfKeys: 3 },
  taskProgress: { lua: progressLua, numberOfKeys: 1 },
  taskUncount: { lua: uncountLua, numberOfKeys: 1 },
  taskRelease: { lua: releaseLua, numberOfKeys: 3 },
  taskAside: { lua: asideLua, numberOfKeys: 4 },
  taskMend: { lua: mendLua, numberOfKeys: 5 },
  taskOldest: { lua: oldestLua, numberOfKeys: 2, readOnly: true },
  taskWhose: { lua: whoseLua, numberOfKeys: 1, readOnly: true },
} as const;
export type ScriptName = keyof typeof SCRIPTS;
