import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OutputMessage } from '../../../src/model/messages/message.ts';
import type { Piece } from '../../../worker-base/streams/entry.ts';
import { PIECE_BYTES } from '../../../worker-base/streams/limits.ts';
import { OutputQueue } from '../../../worker-base/streams/output-queue.ts';
import { Spool } from '../../../worker-base/streams/spool.ts';

let dir: string;
let away: boolean;
let output: OutputQueue;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'output-'));
  away = false;
  const spool = new Spool({ path: join(dir, 'spool', 'output'), memoryBytes: 2000, diskBytes: 4000 });
  output = new OutputQueue({ spool, incarnation: 2, lastSeq: 40, isAway: () => away });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const line = (text: string, partial = false): Piece => ({
  text,
  lines: partial ? 0 : 1,
  bytes: text.length + 1,
  partial,
});
const taken = (): OutputMessage[] => output.take(1e9, 1e6).map(({ data }) => JSON.parse(data));

test('lines that wait are gathered, and an entry of our own keeps its place', () => {
  output.write('stdout', line('a'), 'r');
  output.write('stdout', line(''), 'r');
  output.emit('turn_failed', 'no');
  output.write('stderr', line('b'), undefined);
  output.write('stdout', line('c'), undefined);
  const all = [...taken(), ...taken()];
  expect(all.map(({ seq, type, content }) => [seq, type, content])).toEqual([
    [41, 'stdout', 'a\n'],
    [42, 'turn_failed', 'no'],
    [43, 'stderr', 'b'],
    [44, 'stdout', 'c'],
  ]);
  expect(all[0]).toMatchObject({ incarnation: 2, lines: 2, request_id: 'r' });
});

test('pieces of a long line are entries of their own', () => {
  output.write('stdout', line('begin', true), undefined);
  output.write('stdout', line('end'), undefined);
  output.write('stdout', line('next'), undefined);
  expect([...taken(), ...taken()].map(({ content, partial, lines }) => [content, partial, lines])).toEqual([
    ['begin', true, 0],
    ['end\nnext', undefined, 2],
  ]);
});

test('an entry holds no more text than a piece', () => {
  const half = 'x'.repeat(PIECE_BYTES / 2);
  for (let at = 0; at < 3; at += 1) output.write('stdout', line(half), undefined);
  expect([...taken(), ...taken()].map(({ lines }) => lines)).toEqual([1, 1, 1]);
});

test('events of an agent are bounded as its lines are, and our own entries are kept', () => {
  // With a protocol of JSON a flood took 2.1 GB of memory in 40 s: every event was kept.
  away = true;
  for (let at = 0; at < 1000; at += 1) output.emitEvent('message', 'z'.repeat(99), { tool: 'x' });
  expect(output.unsent()).toEqual({ lines: 1000, bytes: 99_000 });
  output.emit('turn_completed', 'end');
  output.emitEvent('message', 'lost as well');
  away = false;
  output.review();
  const all = [...taken(), ...taken()];
  expect(all.map(({ seq }) => seq)).toEqual(all.map((_, at) => 41 + at));
  const types = all.map(({ type }) => type).join(' ');
  expect(types).toMatch(/^(message )+gap turn_completed gap$/);
  const lost = all.filter(({ type }) => type === 'gap').reduce((sum, gap) => sum + Number(gap.lost_lines), 0);
  expect(lost).toBe(1001 - types.split('message').length + 1);
  // What waited in memory and on the disk, and no more.
  expect(JSON.stringify(all).length).toBeLessThan(8000);
});

test('while Redis is away nothing makes the agent wait, and what has no room is reported once, in its place', () => {
  away = true;
  for (let at = 0; at < 100; at += 1)
    output.write(at % 2 ? 'stdout' : 'stderr', line('z'.repeat(99)), undefined);
  expect(output.full).toBe(false);
  const unsent = output.unsent();
  expect(unsent).toEqual({ lines: 100, bytes: 10_000 });
  away = false;
  output.review();
  expect(output.full).toBe(true);
  let room = false;
  output.onRoom = () => {
    room = true;
  };
  const all = [...taken(), ...taken()];
  output.review();
  expect(room).toBe(true);
  expect(all.map(({ seq }) => seq)).toEqual(all.map((_, at) => 41 + at));
  const gaps = all.filter(({ type }) => type === 'gap');
  const told = all.reduce((sum, entry) => sum + Number(entry.lines ?? 0), 0);
  expect(gaps).toHaveLength(1);
  expect(Number(gaps[0]?.lost_lines) + told).toBe(100);
  expect(Number(gaps[0]?.lost_bytes)).toBe(Number(gaps[0]?.lost_lines) * 100);
});
