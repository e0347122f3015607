import { z } from 'zod';
import type { PoolSpec } from './pool.ts';

/**
 * - `progressing`: on its way to what is asked of it. `ready`: it is as it should be.
 * - `degraded`: workers keep dying, or fewer are ready than should be; `reason` says why.
 * - `stopped`: a rollout failed and goes no further until something changes. `deleting`: it drains and goes.
 */
export const POOL_PHASES = ['progressing', 'ready', 'degraded', 'stopped', 'deleting'] as const;

const counted = z.number().int();
/** The observed status, `pool:<name>:status`: only the pool loop writes it. */
export const poolStatus = z.object({
  /** `progressing`, `ready`, `degraded` (see `reason`), `stopped` (a rollout failed and goes no further) or `deleting`. */
  phase: z.enum(POOL_PHASES),
  /** One word for programs; empty where there is nothing to say. */
  reason: z.string(),
  /** One sentence for people. */
  message: z.string(),
  /** How many workers there should be now. */
  desired: counted,
  /** How many there are, beside those that leave. */
  current: counted,
  /** Up, and taking tasks. */
  ready: counted,
  /** Ready, with a task or a turn under way. */
  busy: counted,
  /** Ready, with nothing to do. */
  idle: counted,
  /** On their way for the first time. */
  starting: counted,
  /** Not ready, and not for the first time. */
  failing: counted,
  /** Told to leave, and finishing their tasks. */
  draining: counted,
  /** Of the newest template. */
  updated: counted,
  /** Booted and waiting for a `create`. */
  warm: counted,
  /** Tasks that wait; absent where the queue does not tell. */
  queued: counted.optional(),
  /** Tasks that run, as the queue knows it. */
  active: counted.optional(),
  /** The template that workers are made of now. */
  revision: z.string(),
  /** The generation of the pool that this was decided on. */
  observed_generation: counted,
  /** When it last grew or shrank. */
  scaled_at: z.string().optional(),
  /** When a worker that ended is replaced. */
  next_retry_at: z.string().optional(),
});
export type PoolStatus = z.infer<typeof poolStatus>;

/** A pool as lists and `GET /v1/pools` show it. */
export interface PoolView {
  name: string;
  worker_type: string;
  generation: number;
  created_at: string;
  deleting: boolean;
  spec: PoolSpec;
  status: PoolStatus | undefined;
}

/** How many workers of each type work and wait; what `GET /v1/pools` tells as `worker_stats`. */
export type WorkerStats = Record<string, { idle: number; busy: number }>;
