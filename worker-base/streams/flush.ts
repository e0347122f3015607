import type { OutputSender } from './output-sender.ts';

/** How long the last output waits for a Redis that takes nothing, where the worker's own grace is shorter. */
export const PATIENCE_MIN_MS = 5000;

/** Waits until all output has arrived; false where Redis took nothing for so long, or time is up. */
export async function flush(
  sender: OutputSender,
  patienceMs: number,
  hardAt: () => number,
): Promise<boolean> {
  const since = performance.now();
  while (!sender.idle) {
    const now = performance.now();
    if (now > hardAt() || now - Math.max(since, sender.progressAt) > patienceMs) return false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 50);
      sender.onProgress = () => {
        clearTimeout(timer);
        setImmediate(resolve);
      };
    });
  }
  return true;
}
