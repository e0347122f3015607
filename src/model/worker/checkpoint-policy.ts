/** The fields of a spec about checkpoints. */
import { z } from 'zod';
import { DAY_SECONDS } from '../values/limits.ts';

/** When checkpoints are taken without a request: after a turn, when the agent has ended, or at an interval. */
export const CHECKPOINT_EVENTS = ['turn', 'stop', 'interval'] as const;
export type CheckpointEvent = (typeof CHECKPOINT_EVENTS)[number];

/** Automatic checkpoints that are kept of a worker by default. */
export const CHECKPOINTS_KEPT = 3;
/** Time between two checkpoints by default. */
export const CHECKPOINT_INTERVAL_SECONDS = 600;

/** The ID of a checkpoint: a UUID, because it becomes part of paths. */
export const checkpointId = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'must be a lowercase UUID');

/** The field `checkpoint` of a worker. */
export const checkpointFields = z.strictObject({
  /**
   * When the workspace is saved: after each `turn`, at each `stop` once the agent has ended, or at an `interval`. Only
   * files that have changed since the last time take space.
   */
  on: z.array(z.enum(CHECKPOINT_EVENTS)).min(1).max(3),
  /** Time between two checkpoints with `interval`; 600 by default. */
  interval_seconds: z.number().min(5).max(DAY_SECONDS).optional(),
  /** Number of automatic checkpoints that are kept, newest first; 3 by default. */
  keep: z.number().int().min(1).max(100).optional(),
});
export type CheckpointPolicy = z.infer<typeof checkpointFields>;
