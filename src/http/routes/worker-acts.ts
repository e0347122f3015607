/** What can be done with a worker over HTTP: stop, start, restart, prompt and interrupt. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  endedWorker,
  Fault,
  fullInput,
  hasEnded,
  type InputMessage,
  type WorkerSpec,
  workerView,
} from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';
import { ApiFault } from '../api-fault.ts';
import { commandFor, getCommandId } from '../commands.ts';
import { requireMatch, setTag } from '../match.ts';
import { errorResponses } from '../schemas/errors.ts';
import { outputEntry, promptAccepted, promptRequest, workerParams } from '../schemas/workers.ts';
import { findTurnEnd } from '../turn.ts';
import { timeoutSeconds, untilLate, waitQuery } from '../waiting.ts';
import type { WorkerService } from '../worker-service.ts';
import { afterWait, missingWorker } from './workers.ts';

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
        if (wait) await rejectTurnless(worker_id);
        const stream = { worker_id, of: 'output' } as const;
        const end = await service.before(stream, 0);
        const { outcome } = await send(worker_id, { type: 'prompt', ...request.body, request_id }, key);
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
        await send(worker_id, { type: 'interrupt', request_id }, key);
        return reply.code(202).send({ request_id, worker_id });
      },
    );

    /** In the output of a program that receives and writes plain lines, the end of a turn cannot be seen. */
    async function rejectTurnless(worker_id: string): Promise<void> {
      const spec = (await service.spec(worker_id)) as Partial<WorkerSpec> | undefined;
      if (spec?.agent_type !== 'CUSTOM' || (spec.protocol ?? 'lines') !== 'lines' || spec.exit_after_prompt)
        return;
      const what = `The worker ${worker_id} uses the protocol lines, which has no turns to wait for: send the prompt without wait and read the output, or create the worker with the protocol json or acp.`;
      throw new Fault('unsupported', what, {
        issues: [{ path: 'wait', message: 'needs an agent with turns' }],
      });
    }

    async function send(worker_id: string, message: InputMessage, key: string | undefined) {
      const view = await service.get(worker_id);
      if (!view) throw missingWorker(worker_id);
      if (view.agent_type === 'TASK')
        throw new Fault('unsupported', `The worker ${worker_id} runs tasks and accepts no prompts.`);
      // It would wait for a start that may never come.
      if (hasEnded(view.status) && view.observed_generation >= view.generation) {
        const { code, message } = endedWorker(worker_id, view);
        throw new ApiFault(code, message, { status: 409, fields: { worker_id } });
      }
      const receipt = await service.sendInput(worker_id, { message, key });
      if (receipt.outcome === 'gone') throw missingWorker(worker_id);
      if (receipt.outcome === 'full') throw fullInput(worker_id);
      if (receipt.outcome === 'differs')
        throw new Fault(
          'conflict',
          `The Idempotency-Key ${key} was used before, for another message: use a new key.`,
        );
      return receipt;
    }
  };
