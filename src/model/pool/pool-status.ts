import { z } from 'zod';
import type { PoolSpec } from './pool.ts';

/**
 * - `progressing`: the pool is changing towards its spec. `ready`: it matches its spec.
 * - `degraded`: workers keep failing, or fewer are ready than desired; `reason` says why.
 * - `stopped`: a rollout failed and does not continue until something changes. `deleting`: it drains and is deleted.
 */
export const POOL_PHASES = ['progressing', 'ready', 'degraded', 'stopped', 'deleting'] as const;

const counted = z.number().int();
/** The observed status, `pool:<name>:status`; only the pool loop writes it. */
export const poolStatus = z.object({
  /**
   * `progressing`, `ready`, `degraded` (see `reason`), `stopped` (a rollout failed and does not continue) or
   * `deleting`.
   */
  phase: z.enum(POOL_PHASES),
  /** One word for programs; empty if there is nothing to report. */
  reason: z.string(),
  /** One sentence for people. */
  message: z.string(),
  /** Desired number of workers. */
  desired: counted,
  /** Number of workers, without those that are draining. */
  current: counted,
  /** Number of workers that are running and take tasks. */
  ready: counted,
  /** Number of ready workers with an active task or turn. */
  busy: counted,
  /** Number of ready workers without a task or turn. */
  idle: counted,
  /** Number of workers that are starting for the first time. */
  starting: counted,
  /** Number of workers that are not ready after having been started before. */
  failing: counted,
  /** Number of workers that finish their tasks before they stop. */
  draining: counted,
  /** Number of workers of the newest template. */
  updated: counted,
  /** Number of booted workers that are available for a `create`. */
  warm: counted,
  /** Number of waiting tasks; absent if the queue cannot be read. */
  queued: counted.optional(),
  /** Number of running tasks, according to the queue. */
  active: counted.optional(),
  /** Identifies the template of new workers. */
  revision: z.string(),
  /** The generation of the pool that this status is based on. */
  observed_generation: counted,
  /** When the pool last grew or shrank. */
  scaled_at: z.string().optional(),
  /** When a worker that ended will be replaced. */
  next_retry_at: z.string().optional(),
});
export type PoolStatus = z.infer<typeof poolStatus>;

/** A pool, as lists and `GET /v1/pools` show it. */
export interface PoolView {
  name: string;
  worker_type: string;
  generation: number;
  created_at: string;
  deleting: boolean;
  spec: PoolSpec;
  status: PoolStatus | undefined;
}

/** How many workers of each type are busy and idle; `worker_stats` of `GET /v1/pools`. */
export type WorkerStats = Record<string, { idle: number; busy: number }>;
