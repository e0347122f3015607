/** What is reported of a checkpoint that does not exist, or is not what was stored. */
import { Fault } from '../model/index.ts';

export const damaged = (id: string, why: string): Fault =>
  new Fault(
    'internal',
    `The checkpoint ${id} is damaged in CHECKPOINT_DIR: ${why}. Delete it and use another one; the next checkpoint of its worker will be stored whole.`,
    { reason: 'CheckpointFailed' },
  );

export const missingCheckpoint = (id: string): Fault =>
  new Fault('not_found', `The checkpoint ${id} does not exist.`);
