/** What is reported of checkpoints that do not exist, or cannot be read. */
import { errorMessage, Fault, type FaultCode } from '../model/index.ts';

/** A checkpoint that this manager will not be able to read later either. */
export class UnusableCheckpoint extends Fault {
  constructor(code: FaultCode, message: string) {
    super(code, message, { reason: 'CheckpointFailed' });
  }
}

export const damaged = (id: string, why: string): UnusableCheckpoint =>
  new UnusableCheckpoint(
    'internal',
    `The checkpoint ${id} is damaged in CHECKPOINT_DIR: ${why}. Delete it and use another one; the next checkpoint of its worker will be stored whole.`,
  );

export const missingCheckpoint = (id: string): Fault =>
  new Fault('not_found', `The checkpoint ${id} does not exist.`);

/** The error of a store that cannot be read or changed. */
export const toStoreFault = (error: unknown): Fault =>
  error instanceof Fault
    ? error
    : new Fault('unavailable', `CHECKPOINT_DIR cannot be used: ${errorMessage(error)}.`, {
        cause: error,
        reason: 'CheckpointFailed',
      });
