/**
 * Who may send a request: checks of its Host, token and Origin, which every server applies in this order. Must not import
 * any other folder except the model's faults, because the wrapper bundles it.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Fault } from '../../model/values/fault.ts';
import { type ApiResponse, errorResponse } from '../route.ts';
import { type HostPolicy, isOurHost } from './hosts.ts';
import { hasPortPass, readPortHost } from './port-access.ts';
import { readWorkerToken, WORKER_TOKEN_PATH } from './worker-token.ts';

const MISDIRECTED = 421;

/** The refusal of a request that does not name one host: each program on its way could read another one. */
export function rejectHostCount({
  httpVersion,
  rawHeaders,
}: Pick<IncomingMessage, 'httpVersion' | 'rawHeaders'>): ApiResponse | undefined {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.length === 4 && rawHeaders[at]?.toLowerCase() === 'host') count += 1;
  if (count === 1 || (count === 0 && httpVersion !== '1.1')) return undefined;
  const what = count === 0 ? 'has no Host header' : 'has several Host headers';
  return errorResponse(new Fault('invalid_command', `The request ${what}; send one.`), 400);
}

/** The response to a request with the name of another host; undefined if the host is this one. */
export function rejectHost({ host }: IncomingHttpHeaders, hosts: HostPolicy): ApiResponse | undefined {
  if (isOurHost(host, hosts)) return undefined;
  const what = `The host name ${JSON.stringify(host?.slice(0, 253))} is not allowed. Use the server's address, or add the name to HTTP_ALLOWED_HOSTS.`;
  return errorResponse(new Fault('unsupported', what), MISDIRECTED);
}

/**
 * The response to a request without the token; undefined if the request has it, or if the server has none. One path also
 * accepts the token of a worker.
 */
export function rejectToken(
  request: { headers: IncomingHttpHeaders; url?: string | undefined },
  token: string | undefined,
  path: string,
): ApiResponse | undefined {
  if (token === undefined || hasPortPass(request, token, Date.now())) return undefined;
  const { authorization, upgrade, 'sec-websocket-protocol': protocols } = request.headers;
  const inProtocol = upgrade === undefined ? undefined : tokenOf(protocols);
  const received = inProtocol ?? Buffer.from(/^Bearer (.*)$/i.exec(authorization ?? '')?.[1] ?? '');
  if (isSameSecret(received, token)) return undefined;
  if (readPortHost(request.headers.host))
    return errorResponse(
      new Fault(
        'invalid_command',
        'This port of a worker requires a link: `wm url ID PORT` prints one for a browser.',
      ),
      401,
    );
  if (path === WORKER_TOKEN_PATH && readWorkerToken(token, received.toString()) !== undefined)
    return undefined;
  const wrong = authorization === undefined ? '' : ' The one that was sent is wrong.';
  const fault = new Fault(
    'invalid_command',
    `${path} requires the token: send "Authorization: Bearer TOKEN".${wrong} \`wm context --token\` prints the manager's.`,
  );
  return { ...errorResponse(fault, 401), headers: { 'www-authenticate': 'Bearer' } };
}

/** Whether these credentials are the manager's token, and not those of a program in a worker. */
export const isToken = (authorization: string | undefined, token: string | undefined): boolean =>
  token !== undefined && isSameSecret(Buffer.from(authorization?.replace(/^Bearer /i, '') ?? ''), token);

/** Takes the same time wherever they differ, so that a secret cannot be guessed byte by byte. */
function isSameSecret(received: Buffer, secret: string): boolean {
  const expected = Buffer.from(secret);
  return received.length === expected.length && timingSafeEqual(received, expected);
}

/** A browser can send no Authorization with a WebSocket, but subprotocols, of which this is one, as in Kubernetes. */
const PROTOCOL = 'base64url.bearer.authorization.worker-manager.';

const listProtocols = (header: string | undefined) => (header ?? '').split(',').map((one) => one.trim());

function tokenOf(protocols: string | undefined): Buffer | undefined {
  const found = listProtocols(protocols).find((one) => one.startsWith(PROTOCOL));
  return found === undefined ? undefined : Buffer.from(found.slice(PROTOCOL.length), 'base64url');
}

/** The subprotocols that are not the token; undefined if there are none. */
export function toClientProtocols(header: string | undefined): string | undefined {
  const own = listProtocols(header).filter((one) => one !== '' && !one.startsWith(PROTOCOL));
  return own.length > 0 ? own.join(', ') : undefined;
}

/** The response to an upgrade that a page of another site asks for: a browser lets any page do so. */
export function rejectForeignUpgrade(headers: IncomingHttpHeaders): ApiResponse | undefined {
  return rejectForeign(headers, 'POST');
}

/**
 * The response to a request that changes something and comes from a page of another site. A browser sends the site of the
 * page with every such request; other clients do not.
 */
export function rejectForeign(
  { origin, host }: IncomingHttpHeaders,
  method: string,
): ApiResponse | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined;
  if (origin === undefined || origin.replace(/^https?:\/\//, '') === host) return undefined;
  return errorResponse(new Fault('unsupported', 'Cross-origin request rejected.'), 403);
}
