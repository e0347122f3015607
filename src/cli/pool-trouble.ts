import type { PoolRead, PoolStore } from '../store/index.ts';
import type { Output } from './output.ts';

/**
 * Passes the pools on, and reports to the waiting user why a pool is degraded. The pool may still become ready, so this
 * does not end the wait. It is reported again only if the reason changes, because the message changes with every
 * reconcile.
 */
export function tellingTrouble(
  store: Pick<PoolStore, 'load'>,
  out: Pick<Output, 'note'>,
): Pick<PoolStore, 'load'> {
  const told = new Map<string, string>();
  const tell = ({ name, pool, status }: PoolRead) => {
    // A status of the previous generation does not apply to the new spec.
    if (status?.phase !== 'degraded' || status.observed_generation !== pool.generation) return;
    if (told.get(name) === status.reason) return;
    told.set(name, status.reason);
    out.note(`pool/${name} is degraded: ${status.message}`);
  };
  return {
    async load(name) {
      const read = await store.load(name);
      if (read) tell(read);
      return read;
    },
  };
}
