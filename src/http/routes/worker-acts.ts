/** What can be done with a worker over HTTP: stop, start, restart, prompt and interrupt. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { workerView } from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import { commandFor, getCommandId } from '../commands.ts';
import { requireMatch, setTag } from '../match.ts';
import { errorResponses } from '../schemas/errors.ts';
import { outputEntry, promptAccepted, promptRequest, workerParams } from '../schemas/workers.ts';
import { rejectTurnless, sendMessage } from '../workers/prompt.ts';
import { findTurnEnd } from '../workers/turn.ts';
import { timeoutSeconds, untilLate, waitQuery } from '../workers/waiting.ts';
import type { WorkerService } from '../workers/worker-service.ts';
import { afterWait } from './workers.ts';

const tags = ['workers'];
const ACTS = [
  ['stop', 'stopWorker', 'End the body of a worker and keep its record'],
  ['start', 'startWorker', 'Start a stopped or failed worker again'],
  ['restart', 'restartWorker', 'Replace the body of a worker by a new one'],
] as const;

export const createWorkerActRoutes =
  (service: WorkerService): ApiPlugin =>
  async (app) => {
    for (const [act, operationId, summary] of ACTS)
      app.post(
        `/v1/workers/:worker_id/${act}`,
        {
          schema: {
            tags,
            operationId,
            summary,
            params: workerParams,
            querystring: waitQuery.extend({
              reason: z.string().max(1024).optional().describe('is written to its history'),
            }),
            response: { 200: workerView, ...errorResponses(404, 409, 412, 429, 504) },
          },
        },
        async (request, reply) => {
          const { worker_id } = request.params;
          const { reason } = request.query;
          const match = await requireMatch(request, () => service.get(worker_id));
          const fields = { command: act, worker_id, ...(reason !== undefined && { reason }), ...match };
          await commandFor(request, service.sendCommand, fields);
          const view = await afterWait(service, worker_id, request.query, reply);
          return setTag(reply, view).send(view);
        },
      );

    app.post(
      '/v1/workers/:worker_id/prompt',
      {
        schema: {
          tags,
          operationId: 'promptWorker',
          summary: 'Send a prompt to the agent of a worker',
          description:
            'With `wait=turn`, the response is the last entry of the turn: `turn_completed`, `turn_failed`, `completed` or `waiting_for_input`. A program with the protocol `lines` has no turns and gets 422.',
          params: workerParams,
          querystring: z.strictObject({
            wait: z.enum(['turn']).optional().describe('respond when the turn has ended'),
            timeout_seconds: timeoutSeconds,
          }),
          body: promptRequest,
          response: {
            200: outputEntry,
            202: promptAccepted,
            ...errorResponses(404, 409, 413, 422, 429, 504),
          },
        },
      },
      async (request, reply) => {
        const { worker_id } = request.params;
        const { wait, timeout_seconds } = request.query;
        const key = getCommandId(request);
        const request_id = key ?? randomUUID();
        if (wait) await rejectTurnless(service, worker_id);
        const stream = { worker_id, of: 'output' } as const;
        const end = await service.before(stream, 0);
        const { outcome } = await sendMessage(
          service,
          worker_id,
          { type: 'prompt', ...request.body, request_id },
          key,
        );
        if (!wait) return reply.code(202).send({ request_id, worker_id });
        const signal = untilLate(reply, timeout_seconds);
        // The turn of a repeated prompt may have ended already.
        const from = outcome === 'repeated' ? '0' : end;
        const last = await findTurnEnd(service, { worker_id, request_id, from }, signal);
        return reply.code(200).send(last);
      },
    );

    app.post(
      '/v1/workers/:worker_id/interrupt',
      {
        schema: {
          tags,
          operationId: 'interruptWorker',
          summary: 'Interrupt the current turn of a worker',
          params: workerParams,
          response: { 202: promptAccepted, ...errorResponses(404, 409, 422, 429) },
        },
      },
      async (request, reply) => {
        const { worker_id } = request.params;
        const key = getCommandId(request);
        const request_id = key ?? randomUUID();
        await sendMessage(service, worker_id, { type: 'interrupt', request_id }, key);
        return reply.code(202).send({ request_id, worker_id });
      },
    );
  };
