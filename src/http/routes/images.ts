/** The worker images of the engine. */
import { z } from 'zod';
import type { ImageView } from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import { errorResponses } from '../schemas/errors.ts';
import { workerParams } from '../schemas/workers.ts';
import { missingWorker } from './workers.ts';

export interface ImageRoutesDeps {
  /** Newest first; throws a Fault `unsupported` if this manager builds no images, `unavailable` if the engine is away. */
  list: () => Promise<ImageView[]>;
  /** Of a worker's image; `undefined` if there is no record. Throws as `list` does, or if the worker has no such image. */
  dockerfile: (id: string) => Promise<{ image: string; dockerfile: string } | undefined>;
}

const instant = z.iso.datetime();
const imageView = z
  .object({
    name: z.string().describe('`worker:<hash>` of its recipe'),
    id: z.string(),
    agent_type: z.string(),
    modules: z.array(z.string()),
    size_bytes: z.number().int().describe('including shared layers'),
    created_at: instant,
    last_used_at: instant.optional().describe('absent if no use is recorded'),
    used_by: z.array(z.string()).describe('IDs of workers, and names of other containers'),
    held_by: z.array(z.string()).describe('holders that are about to use it'),
    other_names: z.array(z.string()).describe('names that a user has added'),
  })
  .meta({ id: 'Image', description: 'A worker image.' }) satisfies z.ZodType<ImageView>;

const dockerfileView = z
  .object({
    image: z.string().describe('`worker:<hash>` of its recipe'),
    dockerfile: z.string(),
  })
  .meta({ id: 'Dockerfile', description: 'The Dockerfile of the image of a worker.' });

export const createImageRoutes =
  ({ list, dockerfile }: ImageRoutesDeps): ApiPlugin =>
  async (app) => {
    app.get(
      '/v1/images',
      {
        schema: {
          tags: ['images'],
          operationId: 'listImages',
          summary: 'List the worker images, newest first',
          response: {
            200: z.object({ items: z.array(imageView), next_cursor: z.null() }),
            ...errorResponses(422),
          },
        },
      },
      async (_request, reply) => reply.send({ items: await list(), next_cursor: null }),
    );

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
