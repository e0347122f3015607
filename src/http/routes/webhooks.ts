/** The last deliveries to webhooks. */
import { z } from 'zod';
import { type WebhookDelivery, webhookDelivery } from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import { errorResponses } from '../schemas/errors.ts';

const instant = z.iso.datetime();
const delivery = z
  .object({
    ...webhookDelivery.shape,
    message_id: z.string().describe('the header `webhook-id`, the same for every attempt and URL'),
    type: z.string().describe('such as `worker.failed`'),
    reason: z.string().describe('why the worker changed, such as `OOMKilled`'),
    url: z.string().describe('without what may be secret in it'),
    created_at: instant,
    last_attempt_at: instant.optional(),
    next_attempt_at: instant.optional().describe('set while it is pending after a failed attempt'),
    response_status: z.number().int().optional().describe('status of the last response'),
    error: z.string().optional().describe('why the last attempt failed'),
  })
  .meta({ id: 'WebhookDelivery', description: 'A message for the URL of one webhook.' });

export const createWebhookRoutes =
  ({ list }: { list: (limit: number) => Promise<WebhookDelivery[]> }): ApiPlugin =>
  async (app) => {
    app.get(
      '/v1/webhooks',
      {
        schema: {
          tags: ['webhooks'],
          operationId: 'listWebhooks',
          summary: 'List the last deliveries to webhooks, the newest first',
          querystring: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(50) }),
          response: {
            200: z.object({ items: z.array(delivery), next_cursor: z.null() }),
            ...errorResponses(400),
          },
        },
      },
      async ({ query }, reply) => reply.send({ items: await list(query.limit), next_cursor: null }),
    );
  };
