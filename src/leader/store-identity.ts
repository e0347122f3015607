/**
 * Determines which store this is if it has no identity: an empty store with running bodies of its own was
 * lost, and one beside the bodies of another store is new. The bodies' labels and what is left in the store
 * distinguish the two.
 */
import type { Body, StoreIdentity } from '../model/index.ts';
import type { Store } from '../store/index.ts';

/**
 * What ties the bodies of one label to this store.
 * - `sure`: this process led under it, or a record or a heartbeat of one of its bodies is here.
 * - `dead`: none of its bodies runs, so no other manager can need them alive.
 * - `none`: its bodies run and have no keys here: they belong to another store, until one of them reports.
 */
export type Tie = 'sure' | 'dead' | 'none';

/** The identity that follows from the labels and their relations. Pure. */
export function identityFrom(
  ties: ReadonlyMap<string, Tie>,
  { fresh, now, created_at }: { fresh: string; now: number; created_at: string },
): StoreIdentity {
  const sure = [...ties].filter(([, tie]) => tie === 'sure').map(([label]) => label);
  const [id = fresh] = sure;
  const adopted: Record<string, number | null> = {};
  for (const label of sure) if (label !== id) adopted[label] = null;
  // Bodies that its store creates from now on do not belong to this one.
  for (const [label, tie] of ties) if (tie === 'dead') adopted[label] = now;
  return { id, created_at, adopted };
}

/** Determines how each label of these bodies is related to the store. */
export async function findTies(
  bodies: Body[],
  { store, last }: { store: Pick<Store, 'anyKnown' | 'anyHeartbeat'>; last: string | undefined },
): Promise<Map<string, Tie>> {
  const ties = new Map<string, Tie>();
  const byLabel = new Map<string, Body[]>();
  for (const body of bodies)
    if (body.store !== undefined) byLabel.set(body.store, [...(byLabel.get(body.store) ?? []), body]);
  for (const [label, group] of byLabel) {
    const ids = group.map(({ worker_id }) => worker_id);
    const sure = label === last || (await store.anyKnown(ids)) || (await store.anyHeartbeat(ids));
    const runs = group.some(({ state }) => state === 'running');
    ties.set(label, sure ? 'sure' : runs ? 'none' : 'dead');
  }
  return ties;
}
