/**
 * Ports of workers over HTTP: any request is passed on to the program that listens there, with its path and query.
 *
 * Two ways lead there. Below `/v1/workers/{id}/ports/{port}/`, for programs: what comes back is of the manager's own
 * origin, so a browser shows it in a sandbox without that origin, and it can set no cookies. At a host of its own,
 * `PORT-WORKER.HOST`, for browsers: there it is like any other site.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { z } from 'zod';
import { Fault } from '../../model/index.ts';
import { isToken } from '../access/access.ts';
import { isLoopback } from '../access/hosts.ts';
import {
  CODE_MS,
  createPortPass,
  ENTER_PATH,
  isPortPass,
  readPortHost,
  SESSION_MS,
  toPortCookie,
  type WorkerPort,
  withoutPortCookie,
} from '../access/port-access.ts';
import type { ApiPlugin } from '../api.ts';
import { ApiFault } from '../api-fault.ts';
import type { DoorService } from '../doors/door-service.ts';
import { passToDoor, withRawBodies } from '../doors/pass-to-door.ts';
import { errorResponses } from '../schemas/errors.ts';
import { workerParams } from '../schemas/workers.ts';

export interface PortRoutesDeps {
  doors: DoorService;
  /** API_TOKEN. */
  token: string | undefined;
}

const tags = ['ports'];
const refusals = [404, 409, 422, 429] as const;
const portParams = workerParams.extend({
  port: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .describe('a port on which a program in the worker listens'),
});
/** A port and what to do with it in one part of a path; the document has `{port}:link` for it. */
const portAnd = (what: string) =>
  z
    .string()
    .regex(
      new RegExp(`^([1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5]):${what}$`),
      `must be PORT:${what}`,
    );
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const;
/** What a page may do without an origin. */
const SANDBOX = 'sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts';
/** Headers that would change the manager's own origin. */
const ORIGIN_HEADERS = [
  'set-cookie',
  'clear-site-data',
  'strict-transport-security',
  'service-worker-allowed',
  'alt-svc',
  'nel',
  'report-to',
];

const portLink = z
  .object({
    url: z.string().describe('for a browser; it works once'),
    expires_at: z.string().describe('when the URL is not valid any more'),
  })
  .meta({ id: 'PortLink', description: 'A link to a port of a worker, for a browser.' });

export const createPortRoutes =
  ({ doors, token }: PortRoutesDeps): ApiPlugin =>
  async (app) => {
    const used = new Map<string, number>();

    app.post(
      '/v1/workers/:worker_id/ports/:port_link',
      {
        schema: {
          tags,
          operationId: 'createPortLink',
          summary: 'Create a link to a port of a worker, for a browser',
          description:
            'The link is valid for a minute and once; it gives the browser a cookie for this port, for 12 hours. Its host is `PORT-WORKER_ID.` and the host of this request.',
          params: workerParams.extend({ port_link: portAnd('link') }),
          response: { 201: portLink, ...errorResponses(...refusals) },
        },
      },
      async (request, reply) => {
        const { worker_id, port_link } = request.params;
        const port = Number.parseInt(port_link, 10);
        const expires = Date.now() + CODE_MS;
        const base = toBase(request.headers.host);
        const code =
          token && `${ENTER_PATH}?code=${createPortPass(token, 'code', { worker_id, port }, expires)}`;
        const url = `${protocolOf(request)}://${port}-${worker_id}.${base}${code ?? '/'}`;
        return reply.code(201).send({ url, expires_at: new Date(expires).toISOString() });
      },
    );

    app.get(
      '/v1/workers/:worker_id/ports/:port_tcp',
      {
        exposeHeadRoute: false,
        schema: {
          tags,
          operationId: 'connectToPort',
          summary: 'Connect to a port of a worker with TCP, over WebSocket',
          description:
            'Binary frames are bytes; the text frame `{"end":true}` ends one direction. `wm port-forward` uses it.',
          params: workerParams.extend({ port_tcp: portAnd('tcp') }),
          response: {
            101: z.null().describe('The protocol is WebSocket from now on.'),
            ...errorResponses(...refusals, 426),
          },
        },
      },
      async () => {
        throw new ApiFault('unsupported', 'TCP is passed over WebSocket: send "Upgrade: websocket".', {
          status: 426,
        });
      },
    );

    await app.register(
      withRawBodies(async (raw) => {
        for (const method of METHODS)
          raw.route({
            method,
            url: '/v1/workers/:worker_id/ports/:port/*',
            schema: {
              hide: method !== 'GET',
              tags,
              operationId: 'requestPort',
              summary: 'Send a request to a program in a worker',
              description:
                'Of any method: it is passed on with its body, and so is the answer. Credentials and cookies are not. A change of protocol, such as to WebSocket, is passed on too.',
              params: portParams.extend({ '*': z.string().describe('path for the program') }),
              response: {
                default: {
                  description: 'What the program answers, of any status.',
                  content: { '*/*': { schema: z.string().meta({ format: 'binary' }) } },
                },
                ...errorResponses(...refusals),
              },
            },
            handler: async (request, reply) => {
              const { worker_id, port } = request.params;
              const named = readPortHost(request.headers.host);
              const path = toProgramPath(request.raw.url ?? '');
              if (named && token !== undefined && path.startsWith(`${ENTER_PATH}?`)) {
                enter(path, named, Date.now());
                const pass = createPortPass(token, 'session', named, Date.now() + SESSION_MS);
                const isSecure = protocolOf(request) === 'https';
                return reply.header('set-cookie', toPortCookie(pass, isSecure)).redirect('/', 303);
              }
              return passToDoor(doors, request, reply, {
                worker_id,
                kind: 'ports',
                path: `/ports/${port}${path}`,
                isSafe: method === 'GET',
                headers: toPortHeaders(request, { worker_id, port }, token),
                ...(!named && { toAnswerHeaders: withoutOrigin }),
              });
            },
          });
      }),
    );

    /** Takes a code, which works once; throws a Fault. */
    function enter(path: string, of: WorkerPort, now: number): void {
      for (const [code, expires] of used) if (expires < now) used.delete(code);
      const code = new URLSearchParams(path.slice(path.indexOf('?'))).get('code') ?? '';
      const isValid = token !== undefined && isPortPass(code, { token, kind: 'code', of, now });
      if (!isValid || used.has(code))
        throw new Fault('invalid_command', 'This link was used already, or is too old. Create another one.');
      used.set(code, now + CODE_MS);
    }
  };

/** The part of a URL of the API that is for the program in the worker, with its query. */
export const toProgramPath = (url: string): string =>
  /^\/v1\/workers\/[^/?]+\/ports\/[^/?]+(\/.*)$/s.exec(url)?.[1] ?? '/';

/** The headers with which a request reaches the program. */
export function toPortHeaders(
  { headers }: { headers: IncomingHttpHeaders },
  { worker_id, port }: { worker_id: string; port: number | string },
  token: string | undefined,
): Record<string, string | undefined> {
  const named = readPortHost(headers.host);
  const { host, authorization } = headers;
  return {
    'x-forwarded-host': host,
    'x-forwarded-proto': protocolOf({ headers }),
    'x-forwarded-prefix': named ? undefined : `/v1/workers/${worker_id}/ports/${port}`,
    cookie: named && withoutPortCookie(headers),
    'x-worker-manager-authorization': named && !isToken(authorization, token) ? authorization : undefined,
  };
}

function withoutOrigin(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = { ...headers };
  for (const name of ORIGIN_HEADERS) delete kept[name];
  // Several policies apply together.
  const own = kept['content-security-policy'];
  kept['content-security-policy'] = own === undefined ? SANDBOX : `${own}, ${SANDBOX}`;
  return kept;
}

const protocolOf = ({ headers }: { headers: IncomingHttpHeaders }): string =>
  headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';

/** The host below which ports have names; throws a Fault for an address, which has no names below it. */
function toBase(host = 'localhost'): string {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  if (isIP(name) === 0) return host;
  const port = /:\d+$/.exec(host)?.[0] ?? '';
  if (isLoopback(name)) return `localhost${port}`;
  throw new Fault(
    'unsupported',
    `Ports have no names below the address ${name}. Use a host name for the manager, or \`wm port-forward\`.`,
  );
}
