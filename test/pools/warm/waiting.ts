import type { FaultWorld } from '../../faults/world.ts';

export interface Waiting {
  id: string;
  body: string;
}

/** The warm workers that can be claimed now. */
export async function waiting({ cell }: FaultWorld): Promise<Waiting[]> {
  const found: Waiting[] = [];
  for (const id of await cell.store.ids()) {
    const { desired, status } = (await cell.store.load(id))?.record ?? {};
    if (desired?.spec.warm && status?.phase === 'ready') found.push({ id, body: status.body_id ?? '' });
  }
  return found;
}
