/** The order in which workers leave. Pure. */

import type { Member } from '../model/pool/pool-memo.ts';
import { isReady } from './observation.ts';

/**
 * Workers that are not ready come first, then idle ones, then those with the fewest tasks; among equals the
 * newest, whose caches are the coldest. A busy worker leaves only if no idle one is left, and finishes its
 * tasks.
 */
export function scaleDownOrder(members: readonly Member[]): Member[] {
  return [...members].sort(
    (a, b) =>
      Number(a.busy) - Number(b.busy) ||
      Number(isReady(a)) - Number(isReady(b)) ||
      a.active - b.active ||
      b.created_at - a.created_at ||
      b.index - a.index ||
      (a.id < b.id ? 1 : -1),
  );
}
