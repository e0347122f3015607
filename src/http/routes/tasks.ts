/** The tasks of all pools: list, show, submit one or many, cancel, retry. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import { Fault } from '../../model/index.ts';
import { splitLines } from '../../tasks/task-lines.ts';
import type { TaskService } from '../../tasks/task-service.ts';
import type { ApiPlugin } from '../api.ts';
import { getIdempotencyKey, withIdempotencyKey } from '../idempotency.ts';
import { errorResponses } from '../schemas/errors.ts';
import {
  type bulkLine,
  ofPool,
  taskList,
  taskListQuery,
  taskParams,
  taskReceipt,
  taskRequest,
  taskShown,
} from '../schemas/tasks.ts';
import { documented } from '../validation.ts';

const tags = ['tasks'];
const NDJSON = 'application/x-ndjson';
const jsonLines = z.string().meta({
  description: 'JSON lines: each line is a `TaskSubmission`, accepted or refused alone. At most 1 MiB.',
});
const bulkLines = z.string().meta({
  description: 'JSON lines: for each line a `BulkResult`, in the same order; blank lines have none.',
});

export const createTaskListRoutes =
  (tasks: TaskService): ApiPlugin =>
  async (app) => {
    app.addContentTypeParser([NDJSON, 'application/jsonl'], { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );

    app.get(
      '/v1/tasks',
      {
        schema: {
          tags,
          operationId: 'listTasks',
          summary: 'List tasks: running, queued in the order in which they are taken, ended newest first',
          querystring: taskListQuery,
          response: { 200: taskList, ...errorResponses() },
        },
      },
      async ({ query }, reply) => reply.send((await tasks.list(query)) as z.infer<typeof taskList>),
    );

    app.post(
      '/v1/tasks',
      {
        schema: {
          tags,
          operationId: 'createTask',
          summary: 'Submit a task, or many as JSON lines',
          body: {
            content: {
              'application/json': { schema: documented(taskRequest) },
              [NDJSON]: { schema: documented(jsonLines) },
            },
          },
          response: {
            200: { description: 'The result of each line.', content: { [NDJSON]: { schema: bulkLines } } },
            202: {
              description: 'The accepted task.',
              content: { 'application/json': { schema: taskReceipt } },
            },
            ...errorResponses(404, 409, 413, 429),
          },
        },
      },
      async (request, reply) => {
        const body: unknown = request.body;
        if (Buffer.isBuffer(body)) return reply.code(200).type(NDJSON).send(submitMany(body, request));
        const receipt = await tasks.submit(withIdempotencyKey(body, request));
        const query = new URLSearchParams({ pool: receipt.pool });
        return reply.code(202).header('location', `/v1/tasks/${receipt.task_id}?${query}`).send(receipt);
      },
    );

    /** With an Idempotency-Key, a line without a task ID gets one of the key and its number. */
    function submitMany(body: Buffer, request: Parameters<typeof getIdempotencyKey>[0]): Readable {
      const key = getIdempotencyKey(request);
      const complete = (input: unknown, line: number) =>
        key === undefined
          ? input
          : withIdempotencyKey(input, { headers: { 'idempotency-key': `${key} ${line}` } });
      const results = tasks.submitLines(splitLines(Readable.from([body])), complete);
      return Readable.from(toJsonLines(results), { objectMode: false });
    }

    app.get(
      '/v1/tasks/:task_id',
      {
        schema: {
          tags,
          operationId: 'getTask',
          summary: 'Show a task and its result',
          params: taskParams,
          querystring: ofPool,
          response: { 200: taskShown, ...errorResponses(404, 409) },
        },
      },
      async ({ params, query }, reply) => reply.send(await tasks.get(params.task_id, query.pool)),
    );

    app.post(
      '/v1/tasks/:task_id/cancel',
      {
        schema: {
          tags,
          operationId: 'cancelTask',
          summary: 'Cancel a task: a queued one immediately, a running one once its handler has been stopped',
          params: taskParams,
          querystring: ofPool.extend({ reason: z.string().optional().describe('for the error of the task') }),
          response: { 200: taskShown, ...errorResponses(404, 409) },
        },
      },
      async ({ params: { task_id }, query: { pool, reason } }, reply) => {
        const task = await tasks.cancel(task_id, reason, pool);
        // A cancellation that is repeated is a success; one that came too late is not.
        if (task.completed_at !== null && !task.cancelled)
          throw new Fault(
            'conflict',
            `The task ${task_id} was not cancelled: it has already ended (${task.status}).`,
          );
        return reply.send(task);
      },
    );

    app.post(
      '/v1/tasks/:task_id/retry',
      {
        schema: {
          tags,
          operationId: 'retryTask',
          summary: 'Queue a failed or cancelled task again, with the same ID and payload and all its retries',
          params: taskParams,
          querystring: ofPool,
          response: { 200: taskShown, ...errorResponses(404, 409, 429) },
        },
      },
      async (request, reply) => {
        const { params, query } = request;
        const key = getIdempotencyKey(request);
        return reply.send(await tasks.retry(params.task_id, { pool: query.pool, key }));
      },
    );
  };

async function* toJsonLines(results: AsyncIterable<z.infer<typeof bulkLine>>): AsyncGenerator<string> {
  for await (const result of results) yield `${JSON.stringify(result)}\n`;
}
