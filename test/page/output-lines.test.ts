/** What the page keeps of an endless output. */
import { expect, test } from 'vitest';
import {
  appendEntries,
  EMPTY_LOG,
  KEPT_ENTRIES,
  KEPT_SIZE,
  type OutputLog,
} from '../../page/worker/output-lines.ts';
import type { WorkerOutput } from '../../src/client/types.ts';

let seq = 0;
const entry = (fields: Partial<WorkerOutput> = {}): WorkerOutput => {
  seq += 1;
  const base = { seq, incarnation: 1, type: 'stdout', content: `line ${seq}`, timestamp: '', id: `${seq}-0` };
  return { ...base, ...fields } as WorkerOutput;
};
const all = ({ groups }: OutputLog) => groups.flatMap(({ lines }) => lines.flatMap(({ entries }) => entries));
const sizeOf = (log: OutputLog) => all(log).reduce((sum, { content }) => sum + content.length, 0);

test.each([
  ['short lines', () => entry(), KEPT_ENTRIES],
  ['long lines', () => entry({ content: 'x'.repeat(20_000) }), 200],
  ['parts of lines without an end', () => entry({ partial: true, content: 'x'.repeat(2000) }), 1000],
  [
    'inputs of tools',
    () => entry({ type: 'tool_use', content: 'x', input: { text: 'x'.repeat(20_000) } }),
    200,
  ],
])('of endless %s, the newest are kept, and the number of dropped ones is known', (_, make, least) => {
  let log = EMPTY_LOG;
  let received = 0;
  let newest: WorkerOutput | undefined;
  for (let batch = 0; batch < 60; batch += 1) {
    const added = Array.from({ length: 200 }, make);
    newest = added.at(-1);
    received += added.length;
    log = appendEntries(log, added);
    expect(log.entries).toBeLessThanOrEqual(KEPT_ENTRIES);
    expect(sizeOf(log)).toBeLessThanOrEqual(KEPT_SIZE);
  }
  const kept = all(log);
  expect(kept.length).toBe(log.entries);
  expect(log.dropped).toBe(received - kept.length);
  expect(kept.at(-1)).toBe(newest);
  expect(kept.map((one) => one.seq)).toEqual(
    kept.map((_one, at) => (newest?.seq ?? 0) - kept.length + 1 + at),
  );
  expect(kept.length).toBeGreaterThanOrEqual(least - 200);
});

test('groups that did not change are the same objects', () => {
  const before = appendEntries(
    EMPTY_LOG,
    Array.from({ length: 250 }, () => entry()),
  );
  const after = appendEntries(before, [entry()]);
  expect(before.groups.map(({ lines }) => lines.length)).toEqual([100, 100, 50]);
  expect(after.groups.slice(0, 2)).toEqual(before.groups.slice(0, 2));
  expect(after.groups[0]).toBe(before.groups[0]);
  expect(after.groups[2]).not.toBe(before.groups[2]);
});

test('parts of one line stay together', () => {
  const parts = [entry({ partial: true }), entry({ partial: true }), entry(), entry({ type: 'stderr' })];
  const { groups } = appendEntries(appendEntries(EMPTY_LOG, parts.slice(0, 1)), parts.slice(1));
  expect(groups.flatMap(({ lines }) => lines.map(({ entries }) => entries.length))).toEqual([3, 1]);
});
