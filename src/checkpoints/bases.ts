/** Which checkpoints probably have the same files as one that is taken now. Pure. */
import type { CheckpointView, WorkerSpec } from '../model/index.ts';

/** Those of the worker that are tried, in case that the newest cannot be used. */
const OWN = 3;

/** Its newest ones, and the one that it started from; `own` are those of the worker, newest first. */
export function chooseBases(own: readonly CheckpointView[], { from_checkpoint }: WorkerSpec): string[] {
  const ids = own.slice(0, OWN).map(({ checkpoint_id }) => checkpoint_id);
  return from_checkpoint === undefined ? ids : [...ids, from_checkpoint];
}
