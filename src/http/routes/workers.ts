/** Workers over HTTP: list, create, show and delete. */
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  createRequest,
  missingWorker,
  type RuntimeName,
  toAcceptedView,
  type WorkerView,
  workerView,
} from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import { ApiFault } from '../api-fault.ts';
import { commandFor, getCommandId } from '../commands.ts';
import { createCursor, parseCursor } from '../list-cursor.ts';
import { requireMatch, setTag } from '../match.ts';
import { errorResponses } from '../schemas/errors.ts';
import { createdWorker, deletedWorker, listQuery, workerList, workerParams } from '../schemas/workers.ts';
import { timeoutSeconds, untilLate, type WaitQuery, waitForState, waitQuery } from '../workers/waiting.ts';
import { toWorkerFilter } from '../workers/worker-filter.ts';
import type { WorkerService } from '../workers/worker-service.ts';

export { missingWorker };

const tags = ['workers'];
/** Creation time and ID of the last worker of a page. */
const POSITION = /^\d{1,15}-[0-9a-f-]{36}$/;
/** Beside the worker itself. */
interface CreateAnswer {
  worker_id: string;
  runtime?: RuntimeName;
  created_at?: string;
  warnings?: string[];
  runtime_reason?: string;
}

export const createWorkerRoutes =
  (service: WorkerService): ApiPlugin =>
  async (app) => {
    app.get(
      '/v1/workers',
      {
        schema: {
          tags,
          operationId: 'listWorkers',
          summary: 'List workers in the order of their creation',
          querystring: listQuery,
          response: { 200: workerList, ...errorResponses() },
        },
      },
      async ({ query: { limit, cursor, ...filters } }, reply) => {
        const { items, next } = await service.page({
          limit,
          cursor: parseCursor('workers', filters, cursor, POSITION),
          keep: toWorkerFilter(filters),
        });
        const next_cursor = next === undefined ? null : createCursor('workers', filters, next);
        return reply.send({ items, next_cursor });
      },
    );

    app.post(
      '/v1/workers',
      {
        schema: {
          tags,
          operationId: 'createWorker',
          summary: 'Create a worker',
          description: 'With `wait`, the response comes when the worker is in that state.',
          querystring: waitQuery,
          body: createRequest,
          response: { 201: createdWorker, ...errorResponses(409, 413, 422, 429, 504) },
        },
      },
      async (request, reply) => {
        const fields = { ...request.body, command: 'create' };
        const answer = await commandFor<CreateAnswer>(request, service.sendCommand, fields);
        const { worker_id, runtime, created_at, warnings, runtime_reason } = answer;
        // Neither a repetition nor a claim of a warm worker, which may run already: nothing can have been observed yet.
        const isNew = created_at !== undefined && getCommandId(request) === undefined && !request.query.wait;
        const view = isNew
          ? toAcceptedView({ ...request.body, runtime, pool: null }, { worker_id, created_at })
          : await afterWait(service, worker_id, request.query, reply);
        void reply.code(201).header('location', `/v1/workers/${worker_id}`);
        return setTag(reply, view).send({
          ...view,
          ...(warnings && { warnings }),
          ...(runtime_reason !== undefined && { runtime_reason }),
        });
      },
    );

    app.get(
      '/v1/workers/:worker_id',
      {
        schema: {
          tags,
          operationId: 'getWorker',
          summary: 'Show a worker',
          description: 'With `wait`, the response comes when the worker is in that state.',
          params: workerParams,
          querystring: waitQuery,
          response: { 200: workerView, ...errorResponses(404, 409, 504) },
        },
      },
      async ({ params: { worker_id }, query }, reply) => {
        const view = await afterWait(service, worker_id, query, reply);
        return setTag(reply, view).send(view);
      },
    );

    app.delete(
      '/v1/workers/:worker_id',
      {
        schema: {
          tags,
          operationId: 'deleteWorker',
          summary: 'End a worker and delete its record',
          description: 'Deleting a deleted worker succeeds.',
          params: workerParams,
          querystring: z.strictObject({
            wait: z.enum(['deleted', 'ended']).optional().describe('respond when it has ended and is gone'),
            timeout_seconds: timeoutSeconds,
            reason: z.string().max(1024).optional().describe('is written to its history'),
          }),
          response: { 200: deletedWorker, ...errorResponses(404, 412, 504) },
        },
      },
      async (request, reply) => {
        const { worker_id } = request.params;
        const { reason, wait, timeout_seconds } = request.query;
        const match = await requireMatch(request, () => service.get(worker_id));
        const fields = { command: 'delete', worker_id, ...(reason !== undefined && { reason }), ...match };
        await commandFor(request, service.sendCommand, fields);
        if (wait) await waitForState(service, worker_id, 'deleted', untilLate(reply, timeout_seconds));
        return reply.send({ worker_id });
      },
    );
  };

/** The worker, after it has reached the state that the query waits for. */
export async function afterWait(
  service: Pick<WorkerService, 'get' | 'waitFor'>,
  worker_id: string,
  { wait, timeout_seconds }: WaitQuery,
  reply: FastifyReply,
): Promise<WorkerView> {
  const before = wait ? await service.get(worker_id) : undefined;
  if (wait && before) await waitForState(service, worker_id, wait, untilLate(reply, timeout_seconds));
  const view = await service.get(worker_id);
  if (view) return view;
  if (wait === 'deleted' && before) return { ...before, desired: 'deleted', phase: 'deleted' };
  if (reply.request.method === 'GET') throw missingWorker(worker_id);
  const what = `The worker ${worker_id} was deleted after this command was first executed; create another one.`;
  throw new ApiFault('conflict', what, { status: 409, fields: { worker_id } });
}
