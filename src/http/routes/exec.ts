/** Processes in workers over HTTP: run a command, and list, attach to, write to, signal and kill what runs. */
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { execRequest, execResult, processView, SIGNALS } from '../../model/doors/exec.ts';
import type { ApiPlugin } from '../api.ts';
import { type CountExec, countOnce, toExecResult } from '../doors/count-exec.ts';
import type { DoorService } from '../doors/door-service.ts';
import { passToDoor, withRawBodies } from '../doors/pass-to-door.ts';
import { doorQuery, waitSeconds } from '../schemas/doors.ts';
import { errorResponses } from '../schemas/errors.ts';
import { workerParams } from '../schemas/workers.ts';

export interface ExecRoutesDeps {
  doors: DoorService;
  onExec: CountExec;
}

const tags = ['processes'];
const refusals = [404, 409, 422, 429] as const;
const processParams = workerParams.extend({
  process_id: z.string().regex(/^[0-9a-f-]{36}$/, 'must be the ID of a process'),
});
const EVENTS = {
  schema: z
    .object({
      id: z.string().optional().describe('the offset from which reading continues after this event'),
      event: z.enum(['started', 'stdout', 'stderr', 'lost', 'exit']),
      data: z
        .string()
        .describe('JSON; `exit` is always the last event, and without it the connection was cut'),
    })
    .meta({ id: 'ExecEvent', description: 'An event of the output of a process.' }),
};
const FRAMES = {
  schema: z.string().meta({ format: 'binary', description: 'frames with unchanged bytes; see docs/http.md' }),
};
const STREAMS = {
  'text/event-stream': EVENTS,
  'application/vnd.worker-manager.exec': FRAMES,
};

/** What every route has, after validation. */
interface Validated {
  params: { worker_id: string };
  query: { wait_seconds: number };
}

export const createExecRoutes =
  ({ doors, onExec }: ExecRoutesDeps): ApiPlugin =>
  async (app) => {
    /** Passes a request on to the path in the body. */
    const pass = (
      request: FastifyRequest,
      reply: FastifyReply,
      path: string,
      more: { body?: string; onAnswer?: (answer: IncomingMessage) => void } = {},
    ) => {
      const { params, query } = request as Validated;
      const { worker_id } = params;
      const waitSeconds = query.wait_seconds;
      return passToDoor(doors, request, reply, { worker_id, kind: 'exec', path, waitSeconds, ...more });
    };

    app.post(
      '/v1/workers/:worker_id/exec',
      {
        schema: {
          tags,
          operationId: 'execInWorker',
          summary: 'Run a command in a worker',
          description:
            "It runs as the agent's user, with `allowed_commands` only. The response is its result, or a stream if `Accept` asks for one. Unless it is detached, it ends with all its children when the client disconnects.",
          params: workerParams,
          querystring: doorQuery,
          body: execRequest,
          response: {
            200: {
              description: 'The command has ended, or its stream begins.',
              content: { 'application/json': { schema: execResult }, ...STREAMS },
            },
            201: {
              description: 'It was started and runs on.',
              content: { 'application/json': { schema: processView } },
            },
            ...errorResponses(...refusals, 413),
          },
        },
      },
      async (request, reply) => {
        const count = countOnce(onExec);
        const body = JSON.stringify(request.body);
        const onAnswer = (answer: IncomingMessage) => answer.once('close', () => count(toExecResult(answer)));
        return pass(request, reply, '/exec', { body, onAnswer }).catch((error: unknown) => {
          count('error');
          throw error;
        });
      },
    );

    app.get(
      '/v1/workers/:worker_id/processes',
      {
        schema: {
          tags,
          operationId: 'listProcesses',
          summary: 'List the processes that clients have started in a worker',
          description: 'Those that run, and the last detached ones that have ended.',
          params: workerParams,
          querystring: doorQuery,
          response: { 200: z.object({ items: z.array(processView) }), ...errorResponses(...refusals) },
        },
      },
      async (request, reply) => pass(request, reply, '/processes'),
    );

    for (const [method, operationId, summary] of [
      ['GET', 'getProcess', 'Show a process'],
      ['DELETE', 'deleteProcess', 'Kill a process with all its children, and delete what is kept of it'],
    ] as const)
      app.route({
        method,
        url: '/v1/workers/:worker_id/processes/:process_id',
        schema: {
          tags,
          operationId,
          summary,
          params: processParams,
          querystring: doorQuery,
          response: { 200: processView, ...errorResponses(...refusals) },
        },
        handler: async (request, reply) => pass(request, reply, `/processes/${request.params.process_id}`),
      });

    app.post(
      '/v1/workers/:worker_id/processes/:process_id/signal',
      {
        schema: {
          tags,
          operationId: 'signalProcess',
          summary: 'Send a signal to a process and its children',
          params: processParams,
          querystring: doorQuery,
          body: z.strictObject({ signal: z.enum(SIGNALS) }),
          response: { 200: processView, ...errorResponses(...refusals, 413) },
        },
      },
      async (request, reply) => {
        const path = `/processes/${request.params.process_id}/signal`;
        return pass(request, reply, path, { body: JSON.stringify(request.body) });
      },
    );

    app.get(
      '/v1/workers/:worker_id/processes/:process_id/output',
      {
        exposeHeadRoute: false,
        schema: {
          tags,
          operationId: 'streamProcessOutput',
          summary: 'Read the output of a process, from any offset to its end',
          description:
            'Output that was dropped is reported by one event `lost`. While a client reads, the process waits for it.',
          params: processParams,
          querystring: z.strictObject({
            offset: z.coerce.number().int().min(0).default(0).describe('bytes of both streams to skip'),
            follow: z.enum(['true', 'false']).default('true').describe('whether to wait for more'),
            wait_seconds: waitSeconds,
          }),
          headers: z.looseObject({
            'last-event-id': z.string().max(32).optional().describe('takes the place of `offset`'),
          }),
          response: {
            200: { description: 'The output.', content: STREAMS },
            ...errorResponses(...refusals),
          },
        },
      },
      async (request, reply) => {
        const { offset, follow } = request.query;
        const path = `/processes/${request.params.process_id}/output?offset=${offset}&follow=${follow}`;
        return pass(request, reply, path);
      },
    );

    await app.register(
      withRawBodies(async (raw) => {
        raw.post(
          '/v1/workers/:worker_id/processes/:process_id/stdin',
          {
            schema: {
              tags,
              operationId: 'writeToProcess',
              summary: 'Write to the standard input of a process',
              description:
                'The body of the request is written as it is, of any size, as fast as the process reads.',
              consumes: ['application/octet-stream'],
              params: processParams,
              querystring: z.strictObject({
                close: z.enum(['true', 'false']).default('false').describe('whether the input ends after it'),
                wait_seconds: waitSeconds,
              }),
              response: {
                200: z.object({ bytes: z.number().int().describe('number of bytes that were written') }),
                ...errorResponses(...refusals),
              },
            },
          },
          async (request, reply) => {
            const path = `/processes/${request.params.process_id}/stdin?close=${request.query.close}`;
            return pass(request, reply, path);
          },
        );
      }),
    );
  };
