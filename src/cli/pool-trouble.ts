import type { PoolRead, PoolStore } from '../store/index.ts';
import type { Output } from './output.ts';

/**
 * The same pools, and whoever waits for one hears what keeps it: that it is degraded, and why. It may still come, so
 * that this ends no wait. It is told again only where the reason is another one, as its words change with every look.
 */
export function tellingTrouble(
  store: Pick<PoolStore, 'load'>,
  out: Pick<Output, 'note'>,
): Pick<PoolStore, 'load'> {
  const told = new Map<string, string>();
  const tell = ({ name, pool, status }: PoolRead) => {
    // What stands of the generation before says nothing about what was asked for.
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
