/** Terminals in workers over HTTP: open, list and close them; they are viewed over WebSocket (`pty-upgrade.ts`). */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { execFields } from '../../model/doors/exec.ts';
import { lingerSeconds, terminalRequest, terminalSize, terminalView } from '../../model/doors/terminal.ts';
import type { ApiPlugin } from '../api.ts';
import { ApiFault } from '../api-fault.ts';
import type { DoorService } from '../doors/door-service.ts';
import { passToDoor } from '../doors/pass-to-door.ts';
import { doorQuery, waitSeconds } from '../schemas/doors.ts';
import { errorResponses } from '../schemas/errors.ts';
import { workerParams } from '../schemas/workers.ts';

const tags = ['terminals'];
const refusals = [404, 409, 422, 429] as const;
const ptyId = z.string().regex(/^[0-9a-f-]{36}$/, 'must be the ID of a terminal');
const ptyParams = workerParams.extend({ pty_id: ptyId });

/** The query of the WebSocket. */
export const viewQuery = z.strictObject({
  id: ptyId.optional().describe('an open terminal to view; without it a new one is opened'),
  cols: terminalSize
    .optional()
    .describe("the client's columns; the terminal is as large as its smallest viewer"),
  rows: terminalSize.optional(),
  command: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe(
      'for a new one: a line for `/bin/sh`, or repeated: a program and its arguments; by default a shell',
    ),
  cwd: execFields.cwd,
  linger_seconds: lingerSeconds.optional(),
  wait_seconds: waitSeconds,
});

export const createPtyRoutes =
  (doors: DoorService): ApiPlugin =>
  async (app) => {
    const pass = (request: FastifyRequest, reply: FastifyReply, path: string, body?: string) => {
      const { params, query } = request as {
        params: { worker_id: string };
        query: { wait_seconds: number };
      };
      const { worker_id } = params;
      const waitSeconds = query.wait_seconds;
      return passToDoor(doors, request, reply, {
        worker_id,
        kind: 'pty',
        path,
        waitSeconds,
        ...(body !== undefined && { body }),
      });
    };

    app.post(
      '/v1/workers/:worker_id/ptys',
      {
        schema: {
          tags,
          operationId: 'openTerminal',
          summary: 'Open a terminal in a worker',
          description:
            "Its program runs as the agent's user, with `allowed_commands` only. View it at `…/pty?id=`: the first viewer gets all of its output.",
          params: workerParams,
          querystring: doorQuery,
          body: terminalRequest,
          response: { 201: terminalView, ...errorResponses(...refusals, 413) },
        },
      },
      async (request, reply) => pass(request, reply, '/ptys', JSON.stringify(request.body)),
    );

    app.get(
      '/v1/workers/:worker_id/ptys',
      {
        schema: {
          tags,
          operationId: 'listTerminals',
          summary: 'List the terminals of a worker',
          description: 'Those whose program runs, and the last ones that have ended.',
          params: workerParams,
          querystring: doorQuery,
          response: { 200: z.object({ items: z.array(terminalView) }), ...errorResponses(...refusals) },
        },
      },
      async (request, reply) => pass(request, reply, '/ptys'),
    );

    for (const [method, operationId, summary] of [
      ['GET', 'getTerminal', 'Show a terminal'],
      ['DELETE', 'closeTerminal', 'Close a terminal: kill its program with all its children'],
    ] as const)
      app.route({
        method,
        url: '/v1/workers/:worker_id/ptys/:pty_id',
        schema: {
          tags,
          operationId,
          summary,
          params: ptyParams,
          querystring: doorQuery,
          response: { 200: terminalView, ...errorResponses(...refusals) },
        },
        handler: async (request, reply) => pass(request, reply, `/ptys/${request.params.pty_id}`),
      });

    app.get(
      '/v1/workers/:worker_id/pty',
      {
        exposeHeadRoute: false,
        schema: {
          tags,
          operationId: 'viewTerminal',
          summary: 'View a terminal, or a new one, over WebSocket',
          description:
            'Binary frames are bytes. Text frames are JSON: a client sends `{"resize": {"cols": 80, "rows": 24}}`, and gets `{"terminal": …}` first, `{"resize": …}` when the size changes, and `{"exit": {"exit_code": 0, "signal": null}}` last. See docs/terminals.md.',
          params: workerParams,
          querystring: viewQuery,
          response: {
            101: z.null().describe('The protocol is WebSocket from now on.'),
            ...errorResponses(...refusals, 426),
          },
        },
      },
      async () => {
        throw new ApiFault('unsupported', 'A terminal is viewed over WebSocket: send "Upgrade: websocket".', {
          status: 426,
        });
      },
    );
  };
