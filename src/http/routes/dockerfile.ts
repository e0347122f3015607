/** The Dockerfile of a worker's image. */
import { z } from 'zod';
import type { ApiPlugin } from '../api.ts';
import { errorResponses } from '../schemas/errors.ts';
import { workerParams } from '../schemas/workers.ts';
import type { ImageRoutesDeps } from './images.ts';
import { missingWorker } from './workers.ts';

const dockerfileView = z
  .object({
    image: z.string().describe('`worker:<hash>` of its recipe'),
    dockerfile: z.string(),
  })
  .meta({ id: 'Dockerfile', description: 'The Dockerfile of the image of a worker.' });

export const createDockerfileRoutes =
  ({ dockerfile }: Pick<ImageRoutesDeps, 'dockerfile'>): ApiPlugin =>
  async (app) => {
    app.get(
      '/v1/workers/:worker_id/dockerfile',
      {
        schema: {
          tags: ['images'],
          operationId: 'getWorkerDockerfile',
          summary: 'Show the Dockerfile of the image that the manager builds for a worker',
          description:
            'As this manager would build it now. 422 for workers without such an image: those of the process runtime, and those with an image of their own. `wm images build --directory` also writes the files that it copies.',
          params: workerParams,
          response: { 200: dockerfileView, ...errorResponses(404, 422) },
        },
      },
      async ({ params: { worker_id } }, reply) => {
        const found = await dockerfile(worker_id);
        if (!found) throw missingWorker(worker_id);
        return reply.send(found);
      },
    );
  };
