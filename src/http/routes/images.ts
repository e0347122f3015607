/** The worker images of the engine. */
import { z } from 'zod';
import type { ImageView } from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import { errorResponses } from '../schemas/errors.ts';

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

export const createImageRoutes =
  ({ list }: Pick<ImageRoutesDeps, 'list'>): ApiPlugin =>
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
  };
