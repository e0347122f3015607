/** Deletes checkpoints that are not needed any more, periodically and apart from the loop over workers. */
import { setTimeout as delay } from 'node:timers/promises';
import { expireDeleted, keepBudget } from '../checkpoints/limits.ts';
import type { CheckpointStore } from '../checkpoints/store.ts';
import { errorMessage } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import type { Logger } from '../telemetry/log.ts';

export interface CheckpointSweepOptions {
  checkpoints: CheckpointStore;
  store: Pick<Store, 'index'>;
  retentionMs: number;
  budget: number;
  intervalMs: number;
  mayAct: () => boolean;
  log: Logger;
  now: () => number;
}

/** Sweeps until the signal fires; a sweep that fails is repeated at the next interval. */
export async function sweepCheckpoints(options: CheckpointSweepOptions, signal: AbortSignal): Promise<void> {
  const { checkpoints, store, retentionMs, budget, intervalMs, mayAct, log, now } = options;
  for (;;) {
    await delay(intervalMs, undefined, { signal, ref: false }).catch(() => {});
    if (signal.aborted) return;
    if (!mayAct()) continue;
    try {
      const index = await store.index();
      const exists = (workerId: string) => index[workerId] !== undefined;
      await expireDeleted(checkpoints, { exists, retentionMs, now: now() });
      await keepBudget(checkpoints, budget);
      await checkpoints.clean();
    } catch (error) {
      log.warn({ why: errorMessage(error) }, 'sweep of checkpoints failed; retrying at the next interval');
    }
  }
}
