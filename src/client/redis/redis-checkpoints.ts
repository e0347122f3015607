import { ManagerError } from '../errors.ts';
import type { CheckpointTransport } from '../transport.ts';

const unsupported = async (): Promise<never> => {
  const what = 'Checkpoints need the HTTP API of a manager, which reaches bodies and stores archives.';
  throw new ManagerError('unsupported', what, { status: 422 });
};

/** Only `create` with `from_checkpoint` works over Redis alone. */
export const redisCheckpoints: CheckpointTransport = {
  createCheckpoint: unsupported,
  listCheckpoints: unsupported,
  getCheckpoint: unsupported,
  deleteCheckpoint: unsupported,
  downloadCheckpoint: unsupported,
  getChanges: unsupported,
};
