/** What the routes of checkpoints need of the manager. */
import type { Readable } from 'node:stream';
import type { CheckpointDetails, CheckpointView } from '../../model/index.ts';

export interface CheckpointService {
  /** Saves the workspace of a running worker; throws a Fault. */
  take(
    workerId: string,
    options: { trigger: 'request'; waitSeconds: number; signal: AbortSignal },
  ): Promise<CheckpointDetails>;
  /** All checkpoints, or those of one worker, newest first. */
  list(workerId?: string): Promise<CheckpointView[]>;
  /** Throws a Fault `not_found`, like all of the following. */
  get(id: string): Promise<CheckpointDetails>;
  open(id: string): Promise<{ checkpoint: CheckpointDetails; stream: Readable }>;
  remove(id: string): Promise<CheckpointDetails>;
}
