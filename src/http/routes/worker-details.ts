/** More about one worker: its spec as accepted, and what the manager would do with it. */
import { z } from 'zod';
import { workerSpec } from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import { errorResponses } from '../schemas/errors.ts';
import { workerParams } from '../schemas/workers.ts';
import type { WorkerService } from '../workers/worker-service.ts';
import { missingWorker } from './workers.ts';

const tags = ['workers'];

const explanation = z
  .looseObject({
    worker_id: z.string(),
    leader: z.object({ owner: z.string(), epoch: z.number() }).nullable(),
    desired: z.string(),
    generation: z.number().int(),
    decision: z.looseObject({ rule: z.string() }),
  })
  .meta({ id: 'Explanation', description: 'What was observed, and what the manager would do next.' });

export const createWorkerDetailRoutes =
  (service: WorkerService): ApiPlugin =>
  async (app) => {
    app.get(
      '/v1/workers/:worker_id/spec',
      {
        schema: {
          tags,
          operationId: 'getWorkerSpec',
          summary: 'Show the spec of a worker, as it was accepted',
          params: workerParams,
          response: { 200: workerSpec, ...errorResponses(404) },
        },
      },
      async ({ params: { worker_id } }, reply) => {
        const spec = await service.spec(worker_id);
        if (!spec) throw missingWorker(worker_id);
        return reply.send(spec as z.infer<typeof workerSpec>);
      },
    );

    app.get(
      '/v1/workers/:worker_id/explain',
      {
        schema: {
          tags,
          operationId: 'explainWorker',
          summary: 'Show what the manager would do with a worker (dry run)',
          params: workerParams,
          response: { 200: explanation, ...errorResponses(404) },
        },
      },
      async ({ params: { worker_id } }, reply) => {
        const found = await service.explain(worker_id);
        if (!found) throw missingWorker(worker_id);
        return reply.send(found as z.infer<typeof explanation>);
      },
    );
  };
