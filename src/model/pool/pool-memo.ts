import { z } from 'zod';
import type { RuntimeName } from '../runtimes.ts';
import type { DesiredState, WorkerStatus } from '../worker/worker-states.ts';

/** A worker of the pool, from its record, status and heartbeat. Instants are milliseconds since 1970. */
export interface Member {
  id: string;
  /** Its place, from its name. */
  index: number;
  runtime: RuntimeName;
  /** The template that it was made of. */
  revision: string;
  /** Booted for a `create` to take over, and none of the pool's own workers. */
  warm: boolean;
  /** Warm, and its image is not the one that a new one would run. */
  stale?: boolean;
  created_at: number;
  desired: DesiredState;
  status: WorkerStatus;
  phase: string;
  reason: string;
  message: string;
  restarts: number;
  /** Tasks that it runs. */
  active: number;
  /** It runs a task, or a turn is under way. */
  busy: boolean;
  ready_since: number | undefined;
  next_retry_at: number | undefined;
}

/** What looking cannot bring back: a memo, which may be lost without harm. Instants as above. */
export const poolMemo = z.object({
  /** Of a scaled pool: how many there should be. */
  size: z.number().int().optional(),
  /** What was needed lately, the highest first and ever newer: the most within a window is the first of it. */
  wants: z.array(z.object({ at: z.number(), n: z.number() })),
  grew_at: z.number().optional(),
  resized_at: z.number().optional(),
  rollout: z
    .object({
      revision: z.string(),
      /** When more workers of this template were ready than ever before. */
      progressed_at: z.number(),
      best: z.number(),
      /** All were ready once: what fails later is not part of the rollout. */
      done: z.boolean(),
      stopped: z.object({ reason: z.string(), message: z.string() }).optional(),
    })
    .optional(),
  /** Workers that ended for good, in a row; they set the next wait. */
  failures: z.number().int(),
  failed_at: z.number().optional(),
  next_retry_at: z.number().optional(),
  failure: z.object({ reason: z.string(), message: z.string() }).optional(),
  /** Ended workers that are counted in `failures` and not gone yet. */
  counted: z.array(z.string()),
  /** What failing workers of a template said last; see `last-error.ts`. */
  last_words: z.array(z.object({ revision: z.string(), reason: z.string(), message: z.string() })).optional(),
});
export type PoolMemo = z.infer<typeof poolMemo>;
export const newMemo = (): PoolMemo => ({ wants: [], failures: 0, counted: [] });
