/**
 * Frees the buffers of streams that pass through this process.
 *
 * To V8, the content of a buffer is memory outside of its heap, which counts for the limit at which it marks the whole heap. That takes
 * several times as long as passing these bytes on, and finds little: all these buffers belong to the young generation, which is collected
 * within a millisecond. So that is done earlier, and the limit is not set so low that the buffers reach it at once.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Fewer bytes than those after which V8 marks. */
const EVERY_BYTES = 16 * 1024 ** 2;
let passed = 0;
let collect: ((options: { type: 'minor' }) => void) | undefined;

/** Counts bytes that were passed on by this thread. */
export function countPassed(bytes: number, every = EVERY_BYTES): void {
  passed += bytes;
  if (passed < every) return;
  passed = 0;
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as typeof collect;
    setFlagsFromString('--no-expose-gc');
    // By default, a heap that was marked before may grow by some megabytes only until the next time.
    setFlagsFromString('--heap-growing-percent=100');
  }
  collect?.({ type: 'minor' });
}
