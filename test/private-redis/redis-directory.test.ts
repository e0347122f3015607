import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';

const MODULE = new URL('../../src/private-redis/redis-directory.ts', import.meta.url).href;
const [THREADS, ROUNDS] = [4, 50];
/** Each round begins in all threads at the same time; they look for the others again and again, and leave the processors to them. */
const PROGRAM = `
  const { workerData: { arrived, folder, threads, rounds } } = require('node:worker_threads');
  import(${JSON.stringify(MODULE)}).then(({ prepareDirectory }) => {
    for (let round = 0; round < rounds; round += 1) {
      Atomics.add(arrived, round, 1);
      for (let count; (count = Atomics.load(arrived, round)) < threads; )
        Atomics.wait(arrived, round, count, 0.05);
      prepareDirectory(folder + round);
    }
  });
`;

test('managers that start at the same time all get the folder', async () => {
  const home = mkdtempSync(join(tmpdir(), 'wm-redis-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const folder = join(home, 'redis-');
  const arrived = new Int32Array(new SharedArrayBuffer(4 * ROUNDS));
  const workerData = { arrived, folder, threads: THREADS, rounds: ROUNDS };
  const ends = Array.from({ length: THREADS }, () => {
    const thread = new Worker(PROGRAM, { eval: true, workerData });
    return new Promise<number>((resolve, reject) => thread.once('error', reject).once('exit', resolve));
  });
  expect(await Promise.all(ends)).toEqual(Array(THREADS).fill(0));
  expect(statSync(`${folder}0`).mode & 0o777).toBe(0o700);
});
