/** Deletes checkpoints that are not needed any more, periodically and apart from the loop over workers. */
import { setTimeout as delay } from 'node:timers/promises';
import { expireDeleted, keepBudget } from '../checkpoints/limits.ts';
import type { CheckpointStore, StoredCheckpoint } from '../checkpoints/store.ts';
import { errorMessage, parseInstant } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import type { Logger } from '../telemetry/log.ts';

export interface CheckpointSweepOptions {
  checkpoints: CheckpointStore;
  store: Pick<Store, 'identity' | 'index' | 'status'>;
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
      // Read afterwards: an index that is empty because its store was just lost has no identity.
      const since = parseInstant((await store.identity())?.created_at);
      const exists = (workerId: string) => index[workerId] !== undefined;
      // What is older than the store may be of a worker that the store before it knew, unless this one knows its deletion.
      const mayBeLost = async ({ worker_id, created_at }: StoredCheckpoint) =>
        (parseInstant(created_at) ?? 0) < (since ?? Number.POSITIVE_INFINITY) &&
        (await store.status(worker_id))?.desired !== 'deleted';
      await expireDeleted(checkpoints, { exists, mayBeLost, retentionMs, now: now() });
      await keepBudget(checkpoints, budget);
      await checkpoints.clean();
    } catch (error) {
      log.warn({ why: errorMessage(error) }, 'sweep of checkpoints failed; retrying at the next interval');
    }
  }
}
