import { closeSync, openSync, readSync } from 'node:fs';

/** Milliseconds between two looks for input that has not come yet. */
const PAUSE_MS = 10;
const PART_BYTES = 65_536;
const STDIN = 0;

/**
 * The content of a file; `-` is standard input, to its end. Reading all at once would fail with EAGAIN if the program that
 * writes to the pipe, or the person at the terminal, is slower than wm: loading commander opens `process.stdin`, after which
 * reads don't wait.
 */
export function readInput(path: string): string {
  const file = path === '-' ? STDIN : openSync(path, 'r');
  const parts: Buffer[] = [];
  try {
    for (;;) {
      const part = Buffer.allocUnsafe(PART_BYTES);
      const length = readPart(file, part);
      if (length === 0) return Buffer.concat(parts).toString('utf8');
      parts.push(part.subarray(0, length));
    }
  } finally {
    if (file !== STDIN) closeSync(file);
  }
}

function readPart(file: number, part: Buffer): number {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      return readSync(file, part);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, PAUSE_MS);
    }
  }
}
