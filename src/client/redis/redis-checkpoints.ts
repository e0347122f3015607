import type { CheckpointTransport } from '../door-transports.ts';
import { needsHttp } from './ask-body.ts';

const unsupported = needsHttp(
  'Checkpoints need the HTTP API of a manager, which reaches bodies and stores archives.',
);

/** Only `create` with `from_checkpoint` works over Redis alone. */
export const redisCheckpoints: CheckpointTransport = {
  createCheckpoint: unsupported,
  listCheckpoints: unsupported,
  getCheckpoint: unsupported,
  deleteCheckpoint: unsupported,
  downloadCheckpoint: unsupported,
  getChanges: unsupported,
};
