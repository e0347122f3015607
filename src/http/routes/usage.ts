/** CPU and memory of workers. */
import { z } from 'zod';
import { type UsageReading, workerId } from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import { errorResponses } from '../schemas/errors.ts';
import { toUsageViews } from '../workers/usage-view.ts';

const orNull = (schema: z.ZodNumber) => schema.nullable();
const workerUsage = z
  .object({
    worker_id: z.string(),
    cpu_percent: orNull(z.number()).describe(
      'between the last two checks; 100 is one core. null after the first',
    ),
    memory_bytes: orNull(z.number().int()).describe('null if it cannot be measured'),
    pids: orNull(z.number().int()).describe('number of processes; null if it cannot be measured'),
    checked_at: z.iso.datetime(),
  })
  .meta({ id: 'Usage', description: 'CPU and memory of a worker at its last check.' });

const query = z.strictObject({
  worker_id: z
    .preprocess(
      (value) => (value === undefined ? undefined : [value].flat()),
      z.array(workerId).max(100).optional(),
    )
    .describe('only these workers; may be repeated'),
});

export const createUsageRoutes =
  ({ read }: { read: (ids: string[] | undefined) => Promise<Record<string, UsageReading>> }): ApiPlugin =>
  async (app) => {
    app.get(
      '/v1/usage',
      {
        schema: {
          tags: ['stats'],
          operationId: 'listUsage',
          summary: 'List CPU and memory of running workers',
          description:
            'As of the last check (`HEALTH_CHECK_INTERVAL`). Workers that have not been checked are missing.',
          querystring: query,
          response: {
            200: z.object({ items: z.array(workerUsage), next_cursor: z.null() }),
            ...errorResponses(),
          },
        },
      },
      async ({ query: { worker_id: ids } }, reply) => {
        const items = toUsageViews(await read(ids));
        return reply.send({ items, next_cursor: null });
      },
    );
  };
