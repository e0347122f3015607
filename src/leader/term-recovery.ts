import type { StoreIdentity } from '../model/index.ts';
import { recover, restoredEvent } from './recover.ts';
import type { TermOptions } from './term-options.ts';

/** Makes sure of the store before anything is decided, and reports the records that were restored. */
export async function recoverForTerm(options: TermOptions, epoch: number): Promise<StoreIdentity> {
  const { store, runtimes, now, newId, log, ownership, crashPoint } = options;
  // Until the store's identity is known, all bodies must be listed.
  ownership.set(undefined);
  const { identity, restored } = await recover({
    store,
    runtimes,
    epoch,
    now,
    newId,
    log,
    last: ownership.last,
  });
  ownership.set(identity);
  crashPoint?.('recovered');
  for (const id of restored) await store.emit(id, restoredEvent(now()));
  return identity;
}
