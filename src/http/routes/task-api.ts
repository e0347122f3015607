/** The task routes that the manager shares with every node, from the same table and schemas. */
import { z } from 'zod';
import { taskSubmission } from '../../model/index.ts';
import { type ApiPlugin, sendResponse } from '../api.ts';
import { parseJsonBody } from '../body.ts';
import { errorResponses } from '../schemas/errors.ts';
import { TASK_OPERATIONS, taskAccepted, taskView } from '../schemas/task-schemas.ts';
import { taskReceipt, taskRequest, taskShown } from '../schemas/tasks.ts';
import { createTaskRoutes, type TaskRouteHandlers } from '../tasks.ts';
import { documented } from '../validation.ts';

const query = z.object({
  pool: z.string().optional().describe('needed if two pools have a task with that ID'),
  reason: z.string().optional().describe('why it is cancelled'),
});

/** The manager's forms of the schemas that nodes have. */
const OF_MANAGER = new Map<z.ZodType, z.ZodType>([
  [taskSubmission, taskRequest],
  [taskAccepted, taskReceipt],
  [taskView, taskShown],
]);
const toManagers = (schema: z.ZodType) => OF_MANAGER.get(schema) ?? schema;

export const createTaskApiRoutes =
  (handlers: TaskRouteHandlers): ApiPlugin =>
  async (app) => {
    for (const [at, { method, path, handle }] of createTaskRoutes(handlers).entries()) {
      const operation = TASK_OPERATIONS[at];
      if (!operation) throw new Error(`${method} ${path} has no schema.`);
      const { summary, operationId = path, body, answer, refusals } = operation;
      const named = path.includes(':');
      app.route({
        method,
        url: path,
        schema: {
          tags: ['task API of nodes'],
          operationId,
          summary,
          ...(body && { body: documented(toManagers(body)) }),
          ...(named && { params: z.object({ task_id: z.string() }), querystring: query }),
          response: {
            ...(answer && { 200: toManagers(answer) }),
            // A node has one pool; the manager may have none of that name.
            ...errorResponses(404, 409, ...(Object.keys(refusals).map(Number) as 404[])),
          },
        },
        handler: async (request, reply) =>
          sendResponse(
            reply,
            await handle({
              method,
              path,
              params: (request.params ?? {}) as Record<string, string>,
              query: new URLSearchParams(request.query as Record<string, string>),
              headers: request.headers,
              json: async () => request.body ?? parseJsonBody(''),
              text: async () => JSON.stringify(request.body),
            }),
          ),
      });
    }
  };
