import type { OutputSender } from './output-sender.ts';

/** How long the last output waits for Redis if the worker's own grace period is shorter. */
export const PATIENCE_MIN_MS = 5000;

/** Waits until all output has arrived; false if Redis accepted nothing for that long, or the time is up. */
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
