/** `/mcp`: the tools over streamable HTTP. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { McpHttpHandler } from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readWorkerToken, WORKER_TOKEN_PATH } from '../http/access/worker-token.ts';
import type { ApiPlugin } from '../http/api.ts';
import { sendResponse } from '../http/api.ts';
import { errorResponse } from '../http/route.ts';
import { Fault, hasEnded, type WorkerSpec } from '../model/index.ts';
import { type McpCaller, readAncestors } from './caller.ts';
import { Cancellations } from './cancellations.ts';
import type { RequestExtra } from './handler.ts';
import type { McpServerOptions } from './server.ts';

export interface McpRoutesOptions extends McpServerOptions {
  /** API_TOKEN, from which the tokens of workers are derived. */
  token: string | undefined;
}

export const createMcpRoutes =
  (options: McpRoutesOptions): ApiPlugin =>
  async (app) => {
    const { services, token } = options;
    const cancellations = new Cancellations();
    let handler: Promise<McpHttpHandler> | undefined;
    // Most managers serve no agents, and start faster without the SDK.
    const open = () =>
      (handler ??= import('./handler.ts').then(
        ({ createHandler }) => createHandler(options),
        (error: unknown) => {
          // The files were replaced by an upgrade. There is nothing to close, and the next request tries again.
          handler = undefined;
          throw error;
        },
      ));
    app.addHook('onClose', async () => (await handler?.catch(() => undefined))?.close());

    app.route({
      method: ['GET', 'POST', 'DELETE'],
      url: WORKER_TOKEN_PATH,
      schema: { hide: true },
      handler: async (request, reply) => {
        const bearer = /^Bearer (.*)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
        const worker_id = token === undefined ? undefined : readWorkerToken(token, bearer);
        const caller = worker_id === undefined ? { kind: 'operator' as const } : await findCaller(worker_id);
        if (!caller) return sendResponse(reply, rejected());
        const gone = new AbortController();
        reply.raw.once('close', () => gone.abort());
        const call = cancellations.follow(request, worker_id);
        reply.raw.once('close', call.end);
        const extra: RequestExtra = { caller, cancelled: AbortSignal.any([gone.signal, call.signal]) };
        const response = await (await open()).fetch(toWebRequest(request, gone.signal), {
          parsedBody: request.body,
          authInfo: { token: '', clientId: worker_id ?? 'operator', scopes: [], extra: { ...extra } },
        });
        if (isInitialize(request.body)) response.headers.set('mcp-session-id', randomUUID());
        return sendWebResponse(reply, response);
      },
    });

    /** The worker whose token it is, while it is alive. */
    async function findCaller(id: string): Promise<McpCaller | undefined> {
      const [view, spec] = await Promise.all([services.workers.get(id), services.workers.spec(id)]);
      if (!view || !spec || view.desired !== 'running' || hasEnded(view.status)) return undefined;
      const ancestors = readAncestors(view.labels) ?? [];
      return { kind: 'worker', id, ancestors, spec: spec as WorkerSpec, created_at: view.created_at };
    }
  };

const rejected = () =>
  errorResponse(
    new Fault('invalid_command', 'The worker of this token has ended, so the token is not valid.'),
    401,
  );

/**
 * Revisions before 2026-07-28 cancel a call in another request. The ID of a session, which a client sends with both, keeps
 * the calls of clients apart; nothing else is remembered of a session.
 */
const isInitialize = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && (body as { method?: unknown }).method === 'initialize';

/** The request for the SDK, without its body, which is parsed already. */
function toWebRequest({ headers, method }: FastifyRequest, signal: AbortSignal): Request {
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' && name !== 'content-length' ? [[name, value] as [string, string]] : [],
  );
  return new Request(`http://worker-manager${WORKER_TOKEN_PATH}`, { method, headers: fields, signal });
}

/** Sends the response of the SDK as it comes; ends it if the client goes. */
async function sendWebResponse(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(response.status, {
    ...(reply.getHeaders() as Record<string, string>),
    ...Object.fromEntries(response.headers),
  });
  if (!response.body) {
    raw.end();
    return reply;
  }
  raw.flushHeaders();
  const body = Readable.fromWeb(response.body as import('node:stream/web').ReadableStream);
  // A client that has gone is not an error.
  await pipeline(body, raw).catch(() => {});
  return reply;
}
