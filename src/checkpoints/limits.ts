/** Which checkpoints are deleted: for lack of space, beyond `keep`, and after their worker. */
import { type CheckpointTrigger, formatInstant, parseInstant } from '../model/index.ts';
import type { CheckpointStore, StoredCheckpoint } from './store.ts';

/** Bytes of all checkpoints; packs that several of them use count once. */
export function sumCheckpointBytes(all: readonly StoredCheckpoint[]): number {
  const packs = new Map(all.flatMap((one) => one.packs.map(({ name, bytes }) => [name, bytes])));
  let total = 0;
  for (const bytes of packs.values()) total += bytes;
  for (const { otherBytes } of all) total += otherBytes;
  return total;
}

/**
 * Deletes the least recently used checkpoints until the rest fits into the budget; never one that is being read. After
 * `written` was written, neither that nor the newest of all is deleted: of two that are written at once, by one manager or
 * two, at least the newer stays. Returns the IDs.
 */
export async function keepBudget(
  store: CheckpointStore,
  budget: number,
  written?: string,
): Promise<string[]> {
  let rest = await store.list();
  const spared = new Set(written === undefined ? [] : [written, rest[0]?.checkpoint_id]);
  const removed: string[] = [];
  for (const one of [...rest].sort((a, b) => a.usedAt - b.usedAt)) {
    if (sumCheckpointBytes(rest) <= budget) break;
    const { checkpoint_id: id } = one;
    if (spared.has(id) || (await store.isRead(id))) continue;
    const done = await store.remove(id);
    rest = rest.filter(({ checkpoint_id }) => checkpoint_id !== id);
    if (done) removed.push(id);
  }
  return removed;
}

const isAutomatic = (trigger: CheckpointTrigger) => trigger !== 'request';

/** Deletes the automatic checkpoints of a worker beyond the newest `keep`. */
export async function keepNewest(store: CheckpointStore, workerId: string, keep: number): Promise<void> {
  const own = (await store.list()).filter(
    ({ worker_id, trigger }) => worker_id === workerId && isAutomatic(trigger),
  );
  for (const { checkpoint_id } of own.slice(keep))
    if (!(await store.isRead(checkpoint_id))) await store.remove(checkpoint_id);
}

/**
 * Of a worker that exists no more, the newest checkpoint is kept for a while. `exists` decides for all of its workers at
 * once. A worker that is found again, because the records of a lost store were restored, keeps what is left.
 */
export async function expireDeleted(
  store: CheckpointStore,
  options: {
    exists: (workerId: string) => boolean;
    /** Whether the record of a worker that does not exist may have been lost; then nothing is deleted. */
    mayBeLost?: (checkpoint: StoredCheckpoint) => Promise<boolean>;
    retentionMs: number;
    now: number;
  },
): Promise<void> {
  const { exists, mayBeLost, retentionMs, now } = options;
  const last = new Set<string>();
  // Newest first.
  for (const one of await store.list()) {
    const { checkpoint_id: id, worker_id, expires_at } = one;
    if (exists(worker_id)) {
      if (expires_at !== undefined) await store.expire(id, undefined);
      continue;
    }
    if (expires_at === undefined && (await mayBeLost?.(one))) continue;
    const isLast = !last.has(worker_id);
    last.add(worker_id);
    const due = parseInstant(expires_at);
    if (!isLast || retentionMs === 0 || (due !== undefined && due <= now)) {
      if (!(await store.isRead(id))) await store.remove(id);
    } else if (due === undefined) {
      await store.expire(id, formatInstant(now + retentionMs));
    }
  }
}
