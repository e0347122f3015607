/**
 * Who may reach the ports of workers: hosts of their own, `PORT-WORKER.HOST`, and what browsers send there instead of the
 * token. A page that a worker serves is then of another origin than the manager's page, and of every other worker.
 *
 * Invariants: a pass is for one port of one worker, and ends; it is derived from the token, so that it holds at every manager
 * of the cell and no longer than the token. Must not import any other folder, because the wrapper bundles it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** A port of a worker. */
export interface WorkerPort {
  worker_id: string;
  port: number;
}

/** The path at a port's host where a code becomes a cookie. */
export const ENTER_PATH = '/.worker-manager/enter';
const COOKIE = 'worker-manager-port';
/** How long a code and a cookie are valid, in milliseconds. */
export const CODE_MS = 60_000;
export const SESSION_MS = 12 * 3_600_000;
const HOST = /^(\d{1,5})-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.([^:]+)(:\d+)?$/;

/** The port that a Host header names; undefined for any other host. */
export function readPortHost(host: string | undefined): WorkerPort | undefined {
  const [, port, worker_id] = HOST.exec(host?.toLowerCase() ?? '') ?? [];
  return port !== undefined && worker_id !== undefined && Number(port) > 0 && Number(port) < 65_536
    ? { worker_id, port: Number(port) }
    : undefined;
}

/** The path of a request in the API: that of a port's host is below the port. */
export function toApiUrl({
  url = '/',
  headers,
}: {
  url?: string | undefined;
  headers: IncomingHttpHeaders;
}): string {
  const named = readPortHost(headers.host);
  return named ? `/v1/workers/${named.worker_id}/ports/${named.port}${url}` : url;
}

/** A pass: what it is for, and its end, signed. */
export function createPortPass(
  token: string,
  kind: 'code' | 'session',
  of: WorkerPort,
  expiresAt: number,
): string {
  return `${expiresAt}.${sign(token, kind, of, expiresAt)}`;
}

export function isPortPass(
  pass: string | undefined,
  { token, kind, of, now }: { token: string; kind: 'code' | 'session'; of: WorkerPort; now: number },
): boolean {
  const [, end = '', signature = ''] = /^(\d{1,16})\.([A-Za-z0-9_-]{43})$/.exec(pass ?? '') ?? [];
  const expected = Buffer.from(sign(token, kind, of, Number(end)));
  const received = Buffer.from(signature);
  return received.length === expected.length && timingSafeEqual(received, expected) && Number(end) > now;
}

const sign = (token: string, kind: string, { worker_id, port }: WorkerPort, expiresAt: number) =>
  createHmac('sha256', token)
    .update(`worker-manager port ${kind} ${worker_id} ${port} ${expiresAt}`)
    .digest('base64url');

const listCookies = (header: string | undefined) => (header ?? '').split(';').map((one) => one.trim());

/** The pass of a browser, from its cookie. */
export function readPortCookie({ cookie }: IncomingHttpHeaders): string | undefined {
  const found = listCookies(cookie).find((one) => one.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1);
}

/** The cookies that are not ours; undefined if there are none. */
export function withoutPortCookie({ cookie }: IncomingHttpHeaders): string | undefined {
  const own = listCookies(cookie).filter((one) => one !== '' && !one.startsWith(`${COOKIE}=`));
  return own.length > 0 ? own.join('; ') : undefined;
}

/** The header that gives a browser its pass. */
export const toPortCookie = (pass: string, isSecure: boolean): string =>
  `${COOKIE}=${pass}; Path=/; Max-Age=${SESSION_MS / 1000}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;

/** Whether a request at a port's host is let in without the token: with a cookie, or to get one. */
export function hasPortPass(
  { url = '/', headers }: { url?: string | undefined; headers: IncomingHttpHeaders },
  token: string,
  now: number,
): boolean {
  const of = readPortHost(headers.host);
  if (!of) return false;
  const [path = '', search = ''] = url.split('?', 2);
  if (isPortPass(readPortCookie(headers), { token, kind: 'session', of, now })) return true;
  const code = path === ENTER_PATH ? new URLSearchParams(search).get('code') : null;
  return code !== null && isPortPass(code, { token, kind: 'code', of, now });
}
