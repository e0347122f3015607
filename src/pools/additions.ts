/** Which workers a pool creates, and the places they get. Pure. */

import type { Member } from '../model/pool/pool-memo.ts';
import type { PoolIntent } from './observation.ts';
import { findWithin, type PlacementGroup } from './placement.ts';

/** A worker to create. */
export type Addition = Pick<Extract<PoolIntent, { type: 'add' }>, 'runtime' | 'warm'>;

/** Workers that are missing in each runtime, as far as there is room. */
export function findAdditions(
  updated: readonly Member[],
  groups: readonly PlacementGroup[],
  room: number,
): Addition[] {
  const added: Addition[] = [];
  for (const group of groups) {
    const { make, want } = group;
    if (make === undefined) continue;
    const missing = want - findWithin(updated, group).length;
    for (let n = 0; n < missing && added.length < room; n += 1) added.push({ runtime: make, warm: false });
  }
  return added;
}

/** The lowest places that no worker uses, including leaving ones. */
export function findFreeIndexes(members: readonly Member[], count: number): number[] {
  const usedIndexes = new Set(members.map(({ index }) => index));
  const places: number[] = [];
  for (let index = 1; places.length < count; index += 1) if (!usedIndexes.has(index)) places.push(index);
  return places;
}
