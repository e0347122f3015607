import { setTimeout as delay } from 'node:timers/promises';
import type { Door } from '../door/door.ts';
import type { HeartbeatSender } from '../streams/heartbeat.ts';

/** How long the end of a body waits for a manager to begin, and to end. Milliseconds. */
const BEGIN_MS = 15_000;
const COPY_MS = 600_000;
/** Time for the last writes of the body, before its runtime kills it. */
const MARGIN_MS = 500;

/**
 * After the end of the agent: waits until the manager has copied the workspace, as long as there is time. Without a manager
 * the body ends without it, and its files remain in the workspace.
 */
export async function offerCopy(door: Door, heartbeat: HeartbeatSender, hardAt: () => number): Promise<void> {
  const copied = Promise.withResolvers<void>();
  let begun = false;
  door.awaitCopy({
    begin: () => {
      begun = true;
      return () => copied.resolve();
    },
  });
  heartbeat.request('offers_checkpoint', true);
  const began = performance.now();
  const over = new AbortController();
  const late = async () => {
    for (;;) {
      const limit = Math.min(began + (begun ? COPY_MS : BEGIN_MS), hardAt() - MARGIN_MS);
      const left = limit - performance.now();
      if (left <= 0) return;
      // `hardAt` may come nearer, and a copy may begin.
      await delay(Math.min(left, 100), undefined, { signal: over.signal });
    }
  };
  await Promise.race([copied.promise, late().catch(() => {})]);
  over.abort();
  door.awaitCopy(undefined);
  heartbeat.request('offers_checkpoint', false);
}
