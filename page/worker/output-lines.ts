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
  entries: number;
  /** Characters of its entries. */
  size: number;
}

/** Lines, and about as many characters, of a group. */
const GROUP = 100;
const GROUP_SIZE = 128 * 1024;
/** Entries, and about as many characters, that are kept: output is endless, and the memory of a browser is not. */
export const KEPT_ENTRIES = 5000;
export const KEPT_SIZE = 4 * 1024 * 1024;
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
    const last = groups.at(-1);
    const open = last?.lines.at(-1);
    if (last && open && continues(open, entry)) {
      const line = { entries: [...open.entries, entry] };
      groups[groups.length - 1] = withEntry(last, [...last.lines.slice(0, -1), line], entry);
    } else if (last && last.lines.length < GROUP && last.size < GROUP_SIZE) {
      groups[groups.length - 1] = withEntry(last, [...last.lines, { entries: [entry] }], entry);
    } else {
      const empty = { key: entry.seq, lines: [], entries: 0, size: 0 };
      groups.push(withEntry(empty, [{ entries: [entry] }], entry));
    }
  }
  const sum = (field: 'entries' | 'size') => groups.reduce((total, group) => total + group[field], 0);
  let [entries, size] = [sum('entries'), sum('size')];
  let { dropped } = log;
  while (groups.length > 1 && (entries > KEPT_ENTRIES || size > KEPT_SIZE)) {
    const oldest = groups.shift() as LineGroup;
    entries -= oldest.entries;
    size -= oldest.size;
    dropped += oldest.entries;
  }
  return { groups, entries, dropped };
}

const withEntry = (
  { key, entries, size }: LineGroup,
  lines: OutputLine[],
  entry: WorkerOutput,
): LineGroup => ({ key, lines, entries: entries + 1, size: size + sizeOf(entry) });

/** Most of an entry is its text; the input of a tool is longer than its text. */
const sizeOf = ({ content, input }: WorkerOutput): number =>
  content.length + (input === undefined ? 0 : JSON.stringify(input).length);

/** Whether an entry is the next part of a line. */
function continues({ entries }: OutputLine, { type, incarnation }: WorkerOutput): boolean {
  const before = entries.at(-1);
  return (
    before?.partial === true &&
    before.type === type &&
    before.incarnation === incarnation &&
    entries.length < LINE_ENTRIES
  );
}
