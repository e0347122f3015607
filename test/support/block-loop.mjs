/** For tests, preloaded into a manager: SIGUSR2 blocks its main loop for BLOCK_MS, as one huge piece of work does. */
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread)
  process.on('SIGUSR2', () => {
    writeSync(2, 'loop blocked\n');
    const end = performance.now() + Number(process.env.BLOCK_MS);
    while (performance.now() < end);
    writeSync(2, 'loop free\n');
  });
