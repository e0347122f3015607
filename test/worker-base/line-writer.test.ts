/** A log on a pipe that is read, read late, not read, or closed. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LineWriter } from '../../worker-base/line-writer.ts';

let directory: string;
let reader: number;
let writer: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'line-writer-'));
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  // Blocks when it is full, as the stdout of a container.
  writer = openSync(pipe, constants.O_WRONLY);
});
afterEach(() => {
  for (const descriptor of [reader, writer]) {
    try {
      closeSync(descriptor);
    } catch {
      // The test has closed it.
    }
  }
  rmSync(directory, { recursive: true });
});

function readAll(): string {
  const buffer = Buffer.alloc(2 * 1024 ** 2);
  try {
    return buffer.toString('utf8', 0, readSync(reader, buffer));
  } catch {
    return '';
  }
}

test('lines arrive in order, and flush waits for them', async () => {
  const lines = new LineWriter(writer);
  for (let at = 0; at < 1000; at += 1) lines.writeLine(`line ${at}`);
  await lines.flush();
  expect(readAll().trim().split('\n')).toEqual(Array.from({ length: 1000 }, (_, at) => `line ${at}`));
});

test('an unread pipe stops nothing, and what was dropped is reported when it is read again', async () => {
  const lines = new LineWriter(writer);
  const began = performance.now();
  for (let at = 0; at < 3000; at += 1) lines.writeLine('x'.repeat(1023));
  expect(performance.now() - began).toBeLessThan(2000);
  let text = '';
  const drain = () => {
    text += readAll();
    lines.writeLine('after');
    return text;
  };
  await expect.poll(drain, { timeout: 10_000, interval: 5 }).toMatch(/… \d{4} lines of the log were dropped/);
  expect(text.length).toBeLessThan(1.5 * 1024 ** 2);
});

test('a pipe that was closed ends the log and nothing else', async () => {
  const lines = new LineWriter(writer);
  closeSync(reader);
  lines.writeLine('lost');
  await lines.flush();
  lines.writeLine('lost');
  await lines.flush();
});
