/** Which of a pool's own workers have to leave: outdated ones and those beyond the wanted number. Pure. */

import type { Member } from '../model/pool/pool-memo.ts';
import { isAvailable, type PoolObservation, type RemovalReason } from './observation.ts';
import { findWithin, type PlacementGroup } from './placement.ts';
import { DEFAULT_UPDATE } from './rollout.ts';
import { scaleDownOrder } from './scale-down-order.ts';

/** A worker that has to leave, and why. */
export type Departure = [Member, RemovalReason];

/**
 * A worker is outdated because of its template or its runtime, or if its place is needed in another runtime.
 */
export function splitOutdated(own: readonly Member[], groups: readonly PlacementGroup[], revision: string) {
  const fits = (member: Member) =>
    member.revision === revision && groups.some(({ runtimes }) => runtimes.includes(member.runtime));
  const fitting = own.filter(fits);
  const moved = new Set<Member>();
  let short = groups.reduce(
    (sum, group) => sum + Math.max(0, group.want - findWithin(fitting, group).length),
    0,
  );
  if (short > 0)
    for (const group of groups) {
      const ordered = scaleDownOrder(findWithin(fitting, group));
      for (const member of ordered.slice(0, Math.min(short, Math.max(0, ordered.length - group.want)))) {
        moved.add(member);
        short -= 1;
      }
    }
  const updated = fitting.filter((member) => !moved.has(member));
  const current = new Set(updated);
  return { updated, outdated: own.filter((member) => !current.has(member)) };
}

/** Those beyond the wanted number of their group. */
export function findSurplus(updated: readonly Member[], groups: readonly PlacementGroup[]): Member[] {
  return groups.flatMap((group) => {
    const ordered = scaleDownOrder(findWithin(updated, group));
    return ordered.slice(0, Math.max(0, ordered.length - group.want));
  });
}

/**
 * Outdated workers that may leave now. Workers that are not ready leave as far as replacements cover what is
 * missing, as in a Deployment: new workers first have to become ready. Ready workers leave while enough of
 * them remain.
 */
export function findReplaceable(
  { pool: { spec }, now }: PoolObservation,
  size: number,
  updated: readonly Member[],
  outdated: readonly Member[],
): Departure[] {
  const { max_unavailable } = spec.update ?? DEFAULT_UPDATE;
  const least = Math.max(0, size - max_unavailable);
  const available = (member: Member) => isAvailable(member, spec, now);
  const unripe = updated.filter((member) => !available(member)).length;
  const all = updated.length + outdated.length;
  const order = scaleDownOrder(outdated);
  const idle = order.filter((member) => !available(member)).slice(0, Math.max(0, all - least - unripe));
  const spare = [...updated, ...outdated].filter(available).length - least;
  const ready = order.filter(available).slice(0, Math.max(0, spare));
  return [...idle, ...ready].map((member): Departure => [member, 'outdated']);
}
