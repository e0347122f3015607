import type { PoolRead, PoolStore } from '../../store/index.ts';
import type { CliOutput } from '../print/output.ts';

/**
 * Passes the pools on, and reports to the waiting user why a pool is degraded. The pool may still become ready, so this
 * does not end the wait. It is reported again only if the reason changes, because the message changes with every
 * reconcile.
 */
export function withLoadErrorNotes(
  store: Pick<PoolStore, 'load'>,
  out: Pick<CliOutput, 'note'>,
): Pick<PoolStore, 'load'> {
  const notedErrors = new Map<string, string>();
  const print = ({ name, pool, status }: PoolRead) => {
    // A status of the previous generation does not apply to the new spec.
    if (status?.phase !== 'degraded' || status.observed_generation !== pool.generation) return;
    if (notedErrors.get(name) === status.reason) return;
    notedErrors.set(name, status.reason);
    out.note(`pool/${name} is degraded: ${status.message}`);
  };
  return {
    async load(name) {
      const read = await store.load(name);
      if (read) print(read);
      return read;
    },
  };
}
