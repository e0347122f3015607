import { isStatusCurrent, type StatusRecord, type WaitObservation } from '../../model/index.ts';
import type { Store } from '../store.ts';

/** Reads what a goal of a worker is evaluated on; `undefined` if there is no trace of the worker. */
export async function readGoalObservation(
  store: Pick<Store, 'load' | 'status'>,
  id: string,
): Promise<WaitObservation<StatusRecord> | undefined> {
  const loaded = await store.load(id);
  if (loaded) {
    const { desired, status } = loaded.record;
    return { deleted: false, current: isStatusCurrent(desired, status), status };
  }
  const left = await store.status(id);
  return left && { deleted: true, current: true, status: left.status };
}
