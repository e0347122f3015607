import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { TestWorker } from '../body.ts';

const redisUrl = inject('redisUrl');
let worker: TestWorker;
beforeEach(() => {
  worker = new TestWorker(redisUrl);
});
afterEach(() => worker.close());

/** MiB that the wrapper may have resident at most: Node itself takes 50. */
const MEMORY_LIMIT = 150;

test('a million lines as fast as they come: none is lost, and memory is bounded', async () => {
  const lines = 1_000_000;
  await worker.declare({ command_line: ['sh', '-c', `seq 1 ${lines}; echo end; cat`] });
  const body = await worker.start({ redisUrl });
  await worker.until(({ content }) => content.endsWith('end'), 50_000);
  const counted = worker.of('stdout').reduce((sum, entry) => sum + Number(entry.lines), 0);
  expect(counted).toBe(lines + 1);
  const all = worker.text().split('\n');
  expect(all.findIndex((line, at) => line !== String(at + 1))).toBe(lines);
  worker.expectGapless();
  expect(worker.of('gap')).toEqual([]);
  expect(body.peakMemory()).toBeLessThan(MEMORY_LIMIT);
});

test('one line of 50 MB is cut into pieces, and memory is bounded', async () => {
  const size = 50_000_000;
  const write = `process.stdout.write('€'.repeat(${size / 4}) + 'a'.repeat(${size / 4}) + '\\n'); process.stdin.resume()`;
  await worker.declare({ command_line: [process.execPath, '-e', write] });
  const body = await worker.start({ redisUrl });
  await worker.until(({ type, partial }) => type === 'stdout' && !partial, 50_000);
  const pieces = worker.of('stdout');
  expect(pieces.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0)).toBe(size);
  expect(pieces.reduce((sum, entry) => sum + Number(entry.lines), 0)).toBe(1);
  expect(
    pieces.every(({ content }) => Buffer.byteLength(content) <= 65_536 && !content.includes('\ufffd')),
  ).toBe(true);
  worker.expectGapless();
  expect(body.peakMemory()).toBeLessThan(MEMORY_LIMIT);
});
