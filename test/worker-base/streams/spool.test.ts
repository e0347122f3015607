import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OutputEntry, StreamIdGenerator } from '../../../worker-base/streams/entry.ts';
import { Spool } from '../../../worker-base/streams/spool.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'backlog-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const entry = (seq: number, size = 20): OutputEntry => ({
  seq,
  data: '€'.repeat(size),
  lines: 1,
  bytes: size,
});
const spool = (diskBytes: number) =>
  new Spool({ path: join(dir, 'spool', 'output'), memoryBytes: 100, diskBytes });

test('what is pushed and accepted comes out in order, whatever happens in between', () => {
  const steps = fc.array(
    fc.oneof(fc.constant('shift' as const), fc.record({ size: fc.nat(80), must: fc.boolean() })),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 2000 }), (list, diskBytes) => {
      const backlog = spool(diskBytes);
      const expected: OutputEntry[] = [];
      let seq = 0;
      for (const step of list) {
        if (step === 'shift') {
          expect(backlog.shift()).toEqual(expected.shift());
        } else {
          seq += 1;
          const given = entry(seq, step.size);
          const accepted = backlog.push(given, step.must);
          if (step.must) expect(accepted).toBe(true);
          if (accepted) expected.push(given);
        }
        expect(backlog.length).toBe(expected.length);
        expect(backlog.lines).toBe(expected.length);
      }
      while (expected.length > 0) expect(backlog.shift()).toEqual(expected.shift());
      expect(backlog.shift()).toBeUndefined();
      expect([backlog.bytes, backlog.outputBytes, backlog.spooled]).toEqual([0, 0, false]);
      backlog.remove();
    }),
  );
});

test('the file is never larger than its limit, is emptied when it is read, and is removed at the end', () => {
  const backlog = spool(1000);
  let accepted = 0;
  while (backlog.push(entry(accepted + 1), false)) accepted += 1;
  const file = join(dir, 'spool', 'output');
  expect(statSync(file).size).toBeLessThanOrEqual(1000);
  for (let at = 0; at < accepted; at += 1) backlog.shift();
  expect(statSync(file).size).toBe(0);
  backlog.remove();
  expect(existsSync(join(dir, 'spool'))).toBe(false);
});

test('a disk that cannot be written is a spool without room; what must be kept stays in memory', () => {
  writeFileSync(join(dir, 'spool'), 'a file where the directory should be');
  const backlog = spool(1_000_000);
  expect(backlog.push(entry(1, 90), false)).toBe(true);
  expect(backlog.push(entry(2, 90), false)).toBe(false);
  expect(backlog.diskError).not.toBe('');
  expect(backlog.push(entry(3, 90), true)).toBe(true);
  expect([backlog.shift()?.seq, backlog.shift()?.seq, backlog.shift()]).toEqual([1, 3, undefined]);
});

test('ids only rise, also when the clock goes back or another has written', () => {
  const times = [5, 5, 3, 9, 4, 4, 30];
  const ids = new StreamIdGenerator(() => times.shift() ?? 0);
  expect([ids.next(), ids.next(), ids.next(), ids.next(), ids.next()]).toEqual([
    '5-0',
    '5-1',
    '5-2',
    '9-0',
    '9-1',
  ]);
  ids.raise('9-0');
  ids.raise('20-7');
  expect([ids.next(), ids.next()]).toEqual(['20-8', '30-0']);
});
