/** Schemas of pools and nodes over HTTP. */
import { z } from 'zod';
import { NODE_STATES, type NodeView, poolSpec, poolStatus } from '../../model/index.ts';

const count = z.number().int();

/** How many workers of each type are busy and idle. */
export const workerStats = z
  .record(z.string(), z.object({ idle: count, busy: count }))
  .meta({ id: 'WorkerStats', description: 'How many ready workers of each type are busy and idle.' });

/** A pool with its spec and its status. */
export const poolView = z
  .object({
    name: z.string(),
    worker_type: z.string(),
    generation: count,
    created_at: z.iso.datetime(),
    deleting: z.boolean().describe('its workers drain, then it is deleted'),
    spec: poolSpec.describe('the pool as it was applied, with its defaults'),
    status: poolStatus.optional().describe('absent until a manager has reconciled it'),
  })
  .meta({ id: 'Pool', description: 'A pool of workers.' });

/** The response to `apply`. */
export const poolApplied = z.object({
  pool: z.string(),
  change: z.enum(['created', 'configured', 'unchanged']),
});

/** A task worker with its own HTTP server. */
export const nodeView = z
  .object({
    worker_id: z.string(),
    pool: z.string(),
    url: z.string().nullable().describe('URL of its node API'),
    external: z.boolean().describe('started by hand: the manager does not stop it'),
    state: z.enum(NODE_STATES),
    active_tasks: count,
    slots: count.nullable(),
    cpu_percent: z.number().nullable().describe('100 is one core'),
    memory_percent: z.number().nullable().describe('100 is its limit'),
    started_at: z.string(),
  })
  .meta({ id: 'Node', description: 'A consumer of tasks with a node API.' }) satisfies z.ZodType<NodeView>;

/** The response to `scale`. */
export const poolScaled = z.object({ pool: z.string(), count, before: count });
