/** Entries of an output stream as lines to show. Pure. */
import type { WorkerOutput } from '../../src/client/types.ts';

/** One entry, or several that are one line of stdout or stderr. */
export interface OutputLine {
  entries: WorkerOutput[];
}
/** Lines in groups of limited size: only the last group changes. */
export interface LineGroup {
  key: number;
  lines: OutputLine[];
}

const GROUP = 100;
/** Entries that are kept. */
export const KEPT_ENTRIES = 20_000;
/** Entries of one line; a longer line is shown as several. */
const LINE_ENTRIES = 50;

export interface OutputLog {
  groups: readonly LineGroup[];
  entries: number;
  /** Number of received entries that were dropped. */
  dropped: number;
}

export const EMPTY_LOG: OutputLog = { groups: [], entries: 0, dropped: 0 };

/** The log with more entries; groups that did not change are the same objects. */
export function appendEntries(log: OutputLog, added: readonly WorkerOutput[]): OutputLog {
  const groups = [...log.groups];
  for (const entry of added) {
    let group = groups.at(-1);
    const open = group?.lines.at(-1);
    const before = open?.entries.at(-1);
    const continues =
      before?.partial === true &&
      before.type === entry.type &&
      before.incarnation === entry.incarnation &&
      (open?.entries.length ?? 0) < LINE_ENTRIES;
    if (group && open && continues) {
      const lines = [...group.lines.slice(0, -1), { entries: [...open.entries, entry] }];
      groups[groups.length - 1] = { key: group.key, lines };
      continue;
    }
    if (!group || group.lines.length >= GROUP) {
      group = { key: entry.seq, lines: [] };
      groups.push(group);
    }
    groups[groups.length - 1] = { key: group.key, lines: [...group.lines, { entries: [entry] }] };
  }
  let entries = log.entries + added.length;
  let dropped = log.dropped;
  while (entries > KEPT_ENTRIES && groups.length > 1) {
    const count = groups.shift()?.lines.reduce((sum, line) => sum + line.entries.length, 0) ?? 0;
    entries -= count;
    dropped += count;
  }
  return { groups, entries, dropped };
}
