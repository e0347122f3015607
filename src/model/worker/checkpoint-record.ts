/** Checkpoints: saved copies of a worker's workspace, from which it, or another worker, can continue. */
import { z } from 'zod';
import { ARCHIVE_FORMATS } from './archive-format.ts';
import { CHECKPOINT_EVENTS } from './checkpoint-policy.ts';
import { workerSpec } from './spec.ts';

export const CHECKPOINT_TRIGGERS = ['request', ...CHECKPOINT_EVENTS] as const;
export type CheckpointTrigger = (typeof CHECKPOINT_TRIGGERS)[number];

/** A checkpoint, as the API shows it. */
export const checkpointView = z
  .object({
    checkpoint_id: z.string(),
    worker_id: z.string().describe('the worker that it is a copy of, which may be deleted'),
    worker_name: z.string().optional(),
    trigger: z.enum(CHECKPOINT_TRIGGERS).describe('why it was taken'),
    created_at: z.string(),
    incarnation: z.number().int().describe('the body that it was taken from'),
    turns: z.number().int().optional().describe('turns that had ended in that body'),
    format: z.enum(ARCHIVE_FORMATS),
    bytes: z.number().int().describe('size of the archive'),
    sha256: z.string().describe('hash of the list of its chunks; the same for the same files'),
    conversation: z.boolean().describe("whether it has the agent's conversation"),
    expires_at: z.string().optional().describe('when it is deleted, because its worker was'),
    warnings: z.array(z.string()).optional().describe('files that could not be saved'),
  })
  .meta({ id: 'Checkpoint', description: 'A saved copy of the workspace of a worker.' });
export type CheckpointView = z.infer<typeof checkpointView>;

/** A checkpoint with the spec of its worker, from which a fork is created. */
export const checkpointDetails = checkpointView
  .extend({ spec: workerSpec.describe('of its worker, as accepted') })
  .meta({ id: 'CheckpointDetails', description: 'A checkpoint with the spec of its worker.' });
export type CheckpointDetails = z.infer<typeof checkpointDetails>;
