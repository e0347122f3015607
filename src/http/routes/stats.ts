/** The state of the cell in numbers. */
import { z } from 'zod';
import type { ApiPlugin } from '../api.ts';
import { errorResponses } from '../schemas/errors.ts';
import { workerStats } from '../schemas/pools.ts';

const count = z.number().int();
const counts = z.record(z.string(), count);
const queueDepths = z.object({
  queued: count.describe('waiting tasks, including those that wait for their backoff'),
  delayed: count.describe('part of `queued`'),
  active: count,
  completed: count.describe('whose result is still kept'),
  failed: count,
});

const cellStats = z
  .object({
    at: z.iso.datetime().describe('when it was read; at most a second ago'),
    workers: z.object({
      total: count,
      by_status: counts,
      by_runtime: counts.describe('`external`: nodes that were started manually'),
      by_agent_type: counts,
      cpu_percent: z.number().describe('of all workers at their last check; 100 is one core'),
      memory_bytes: count.describe('of all workers at their last check'),
    }),
    worker_stats: workerStats,
    tasks: queueDepths.describe('the sum of all queues'),
    queues: z.record(z.string(), queueDepths).describe('by pool, also of pools that are not declared'),
  })
  .meta({ id: 'Stats', description: 'The workers and queues of the cell in numbers.' });
/** The response to `GET /v1/stats`. */
export type CellStats = z.infer<typeof cellStats>;
export type QueueDepths = z.infer<typeof queueDepths>;

export const createStatsRoutes =
  ({ read }: { read: () => Promise<CellStats> }): ApiPlugin =>
  async (app) => {
    app.get(
      '/v1/stats',
      {
        schema: {
          tags: ['stats'],
          operationId: 'getStats',
          summary: 'Count workers by status and runtime, and tasks by queue',
          response: { 200: cellStats, ...errorResponses() },
        },
      },
      async (_request, reply) => reply.send(await read()),
    );
  };
