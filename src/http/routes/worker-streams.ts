/** The output and the events of workers as server-sent events, which the thread with the client's connection sends. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { WorkerStream } from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import { ORDER_TYPE, type StreamOrder } from '../listener/stream-order.ts';
import { errorResponses } from '../schemas/errors.ts';
import { workerParams } from '../schemas/workers.ts';
import { getStart, type StreamQuery, streamHeaders, streamQuery } from '../streams/stream-start.ts';
import type { WorkerService } from '../workers/worker-service.ts';
import { missingWorker } from './workers.ts';

const tags = ['streams'];
const streamEvent = z
  .object({
    id: z
      .string()
      .optional()
      .describe('ID of the entry in its stream, for Last-Event-ID; the last event has none'),
    event: z.string().describe('type of the entry; `end` for the last event'),
    data: z.string().describe('the entry as JSON'),
  })
  .meta({ id: 'StreamEvent', description: 'One server-sent event.' });
const events = {
  description: 'Server-sent events, each with the fields of the schema.',
  content: { 'text/event-stream': { schema: streamEvent } },
};

export const createWorkerStreamRoutes =
  (service: WorkerService): ApiPlugin =>
  async (app) => {
    const start = async (
      stream: WorkerStream,
      request: Pick<FastifyRequest, 'headers'>,
      query: StreamQuery,
    ): Promise<string> => {
      const from = getStart(request, query, service.now());
      if (from === undefined) return '0';
      return 'tail' in from ? service.before(stream, from.tail) : from.after;
    };

    const send = (reply: FastifyReply, order: StreamOrder) =>
      reply.header('x-accel-buffering', 'no').type(ORDER_TYPE).send(order);

    for (const kind of ['output', 'events'] as const)
      app.get(
        `/v1/workers/:worker_id/${kind}`,
        {
          exposeHeadRoute: false,
          schema: {
            tags,
            operationId: kind === 'output' ? 'streamOutput' : 'streamWorkerEvents',
            summary: kind === 'output' ? "Stream a worker's output" : "Stream a worker's history",
            description:
              kind === 'output'
                ? 'Ends with `event: end` when the worker has ended and all its output was sent.'
                : 'Ends with `event: end` when the worker was deleted.',
            params: workerParams,
            querystring: streamQuery,
            headers: streamHeaders,
            response: { 200: events, ...errorResponses(404, 429) },
          },
        },
        async (request, reply) => {
          const { worker_id } = request.params;
          const stream = { worker_id, of: kind };
          const from = await start(stream, request, request.query);
          if (!(await service.isKnown(worker_id))) throw missingWorker(worker_id);
          return send(reply, { stream, from, follow: request.query.follow === 'true' });
        },
      );

    app.get(
      '/v1/events',
      {
        exposeHeadRoute: false,
        schema: {
          tags,
          operationId: 'streamEvents',
          summary: 'Stream the history of all workers',
          description: 'Each event has its `worker_id`. The last 10,000 events of the cell are kept.',
          querystring: streamQuery,
          headers: streamHeaders,
          response: { 200: events, ...errorResponses(429) },
        },
      },
      async (request, reply) => {
        const stream = { of: 'all events' } as const;
        const from = await start(stream, request, request.query);
        return send(reply, { stream, from, follow: request.query.follow === 'true' });
      },
    );
  };
