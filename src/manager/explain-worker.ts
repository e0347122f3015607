/** A dry run of one worker's reconcile, for the HTTP API of any manager of the cell. */
import type { Images } from '../images/index.ts';
import type { Limits } from '../model/index.ts';
import { decide } from '../reconcile/decide.ts';
import { toExplanation } from '../reconcile/explanation.ts';
import { observeWorker } from '../reconcile/observe.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import type { Store } from '../store/index.ts';

/** What the leader would do with a worker, decided from what this manager observes; `undefined` if there is no record. */
export async function explainWorker(
  id: string,
  deps: {
    store: Store;
    runtimes: Runtimes;
    images: Images | undefined;
    limits: Limits;
    now: () => number;
  },
): Promise<object | undefined> {
  const { store, runtimes, images, limits, now } = deps;
  const leader = await store.leader();
  const observed = await observeWorker(id, {
    store,
    runtimes,
    images: images && { state: (spec) => images.state(spec) },
    limits,
    now,
    log: { warn: () => {} },
    // Without a leader, the next leader counts from its own epoch.
    leadingSince: leader?.epoch ?? now(),
    actionErrors: new Map(),
    // Only the leader has the queue of starts; the position is in the record.
    startAdmission: { request: ({ status }) => (status?.phase === 'queued' ? status.message : undefined) },
  });
  return observed && toExplanation(observed.observation, decide(observed.observation), leader);
}
