/**
 * The manager's HTTP API on Fastify: checks who may send a request, parses bodies within limits, and gives errors their
 * one shape. It listens on a local socket; the watchdog's thread owns the port and forwards requests to it.
 *
 * Invariants: an exception of a handler is sent to the client only if it is a Fault; nothing is parsed before its size is
 * checked; the schemas of the routes are the source of the OpenAPI document. Must not import the store, the runtimes or the
 * loop. The wrapper must not import it.
 */
import { randomUUID } from 'node:crypto';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { FastifyPluginAsyncZod, ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Fault, toRedisFault } from '../model/index.ts';
import { rejectForeign, rejectHost, rejectToken } from './access/access.ts';
import { hostPolicy } from './access/hosts.ts';
import { toApiUrl } from './access/port-access.ts';
import { ApiFault } from './api-fault.ts';
import { BODY_BYTES, decodeBody, parseJsonBody, rejectEncoding } from './body.ts';
import { getOwnId, toClientId } from './commands.ts';
import { registerDocument } from './document/document.ts';
import { keepFilePath } from './doors/door-paths.ts';
import { type ApiResponse, errorResponse, matchRoutes, type OnHandled, type Route } from './route.ts';
import { routeUpgrade, type UpgradeRoute } from './upgrade-route.ts';
import { serveUpgrades } from './upgrades.ts';
import { compileValidator } from './validation.ts';

/** A module of `routes/`: registers the routes of one resource. */
export type ApiPlugin = FastifyPluginAsyncZod;

export interface ApiOptions {
  /** HTTP_HOST: decides which Host headers are accepted. */
  host: string;
  /** HTTP_ALLOWED_HOSTS. */
  allowedHosts?: readonly string[];
  /** API_TOKEN: required by all routes except those with `config: { open: true }`. */
  token?: string | undefined;
  plugins: readonly ApiPlugin[];
  /** Routes for requests that want another protocol, such as WebSocket. */
  upgrades?: readonly UpgradeRoute[];
  /** Why nothing may be written now; `undefined` if it may. */
  writesRefused?: () => string | undefined;
  /** Called when a request was answered, or has become another protocol. */
  onHandled?: OnHandled;
  /** Of this program, for the document. */
  version: string;
  log: {
    error(fields: object, message: string): void;
    info(fields: object, message: string): void;
    debug(fields: object, message: string): void;
  };
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without a token: the documentation. */
    open?: boolean;
  }
}

/** The server with all routes; it does not listen yet. */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const { token, log, plugins, version } = options;
  const hosts = hostPolicy(options.host, options.allowedHosts);
  const app = fastify({
    bodyLimit: BODY_BYTES,
    // The watchdog limits the time of every request that is not for a body, which may take any time.
    requestTimeout: 0,
    // The watchdog closes idle connections to it; a server that closes one may cut off a request.
    keepAliveTimeout: 0,
    forceCloseConnections: true,
    // As long as the addresses that Node accepts: the path of a file is one parameter.
    routerOptions: { maxParamLength: 16_384 },
    rewriteUrl: (request) => keepFilePath(toApiUrl(request)),
    genReqId: ({ headers }) => toClientId(headers['x-request-id']) ?? randomUUID(),
    // No hook runs for these.
    frameworkErrors: (error, request, reply) => {
      sendError(error, request, reply);
      countHandled(request, reply, undefined);
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(compileValidator);
  app.setSerializerCompiler(() => toJsonLine);
  app.setReplySerializer(toJsonLine);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, bytes, done) => {
    try {
      rejectEncoding(request.headers);
      done(null, bytes.length === 0 ? undefined : parseJsonBody(decodeBody(bytes as Buffer)));
    } catch (error) {
      done(error as Error);
    }
  });

  /** For the answers to an unknown path or method. */
  const routes: Pick<Route, 'method' | 'path'>[] = [];
  app.addHook('onRoute', ({ method, url, schema }) => {
    if (schema?.hide) return;
    // A parameter that no one reads would be an error of the client that it never sees. Those of a port are not ours.
    if (schema && url.startsWith('/v1/') && !url.includes('/ports/'))
      schema.querystring ??= z.strictObject({});
    for (const one of [method].flat())
      if (one !== 'HEAD') routes.push({ method: one as Route['method'], path: url });
  });
  app.addHook('onRequest', async (request, reply) => {
    const { headers, method, is404, routeOptions } = request;
    reply.headers({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': request.id,
    });
    const rejected =
      rejectHost(headers, hosts) ??
      (is404
        ? undefined
        : ((routeOptions.config.open
            ? undefined
            : rejectToken({ headers, url: request.originalUrl }, token, getRequestPath(request))) ??
          rejectForeign(headers, method) ??
          rejectWrite(method)));
    return rejected && sendResponse(reply, rejected);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { id, method } = request;
    const status = reply.statusCode;
    countHandled(request, reply, request.is404 ? undefined : request.routeOptions.url);
    const ms = Math.round(reply.elapsedTime);
    const fields = { http_request_id: id, method, path: getRequestPath(request), status, ms };
    const changes = method !== 'GET' && method !== 'HEAD';
    // The command of a change is logged with the same ID, unless the client chose one of the two.
    const logged = changes && (status >= 400 || getOwnId(request) === undefined);
    log[logged ? 'info' : 'debug'](fields, 'HTTP request handled');
  });
  app.setNotFoundHandler((request, reply) => sendResponse(reply, explainMissingRoute(request, routes)));
  app.setErrorHandler(sendError);
  await registerDocument(app, version);
  for (const plugin of plugins) await app.register(plugin);
  await app.ready();
  serveUpgrades(app.server, {
    hosts,
    token,
    handle: (request, socket, head) =>
      routeUpgrade(
        options.upgrades ?? [],
        { url: toApiUrl(request), request, socket, head },
        options.onHandled,
      ),
    log: { error: (message, fields) => log.error(fields, message) },
  });
  return app;

  function countHandled({ method }: FastifyRequest, reply: FastifyReply, route: string | undefined): void {
    const { statusCode: status, elapsedTime } = reply;
    options.onHandled?.({ route, method, status, seconds: elapsedTime / 1000 });
  }

  function rejectWrite(method: string): ApiResponse | undefined {
    const why = method === 'GET' || method === 'HEAD' ? undefined : options.writesRefused?.();
    return why === undefined ? undefined : errorResponse(new Fault('unavailable', why));
  }

  function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const error = toRedisFault(thrown) ?? thrown;
    const { code, statusCode = 500 } = error as { code?: string; statusCode?: number };
    if (error instanceof ApiFault)
      return sendResponse(reply, errorResponse(error, error.status, error.fields));
    // A reason is given for what is known to happen, such as damage on a disk.
    if (error instanceof Fault && (error.code !== 'internal' || error.reason))
      return sendResponse(reply, errorResponse(error));
    if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      const what = `The request body has more than ${BODY_BYTES} bytes.`;
      return sendResponse(reply, errorResponse(new Fault('invalid_command', what), 413));
    }
    // Fastify's own refusals of broken requests.
    if (code?.startsWith('FST_') && statusCode < 500) {
      const fault = new Fault('invalid_command', `The request was refused: ${(error as Error).message}.`);
      return sendResponse(reply, errorResponse(fault, statusCode));
    }
    const fields = { err: error, http_request_id: request.id, path: getRequestPath(request) };
    log.error(fields, 'HTTP request failed');
    const fault =
      code === 'ERR_MODULE_NOT_FOUND'
        ? new Fault('unavailable', 'The files of the manager were replaced after its start: restart it.')
        : new Fault('internal', 'Internal error; see the log.');
    return sendResponse(reply, errorResponse(fault));
  }
}

/** Serves the API on a local socket until the returned server is closed. */
export async function listenApi(socketPath: string, options: ApiOptions): Promise<FastifyInstance> {
  const app = await createApi(options);
  await app.listen({ path: socketPath });
  return app;
}

/** Sends a response that is already serialized. */
export function sendResponse(
  reply: FastifyReply,
  { status, type, headers, body }: ApiResponse,
): FastifyReply {
  return reply
    .code(status)
    .headers(headers ?? {})
    .type(type ?? 'application/json; charset=utf-8')
    .serializer((text: unknown) => text as string)
    .send(body);
}

/** One line, so that the output of curl ends with a newline. */
const toJsonLine = (value: unknown) => `${JSON.stringify(value)}\n`;

/** The path without its query, truncated for responses and the log. */
const getRequestPath = ({ url }: FastifyRequest) => url.replace(/[?#].*$/s, '').slice(0, 400);

function explainMissingRoute(
  request: FastifyRequest,
  routes: readonly Pick<Route, 'method' | 'path'>[],
): ApiResponse {
  const path = getRequestPath(request);
  const found = matchRoutes(routes, path)?.routes;
  if (found) {
    const allowed = found.map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ');
    const what = `${path} does not support ${request.method}: use ${allowed}.`;
    return { ...errorResponse(new Fault('unsupported', what), 405), headers: { allow: allowed } };
  }
  const hint = path.startsWith('/v1/v1') ? " The manager's URL is what stands before /v1." : '';
  return errorResponse(
    new Fault('not_found', `There is nothing at ${path}. /docs describes all paths.${hint}`),
  );
}
