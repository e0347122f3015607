/** The door's routes of files: passed on to the file helper, which runs as the agent's user. */
import type { IncomingHttpHeaders } from 'node:http';
import { CONNECTION_HEADERS } from '../../../src/http/listener/connection-headers.ts';
import { flushSoon } from '../../../src/http/listener/flush-soon.ts';
import { type BodyFiles, getBodyFiles } from '../../files/body-files.ts';
import type { DoorBody, DoorRequest, DoorRoute } from '../route.ts';

const CONNECTION = new Set<string>(CONNECTION_HEADERS);
/** Headers of requests that the helper reads. */
const PASSED = ['range', 'if-range', 'if-match', 'if-none-match', 'content-length'];

export const fileRoutes: DoorRoute[] = [
  ...(['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] as const).map((method) => toRoute(method, 'files')),
  ...(['GET', 'PUT'] as const).map((method) => toRoute(method, 'archive')),
  toRoute('GET', 'watch'),
];

function toRoute(method: DoorRoute['method'], kind: string): DoorRoute {
  return { method, path: `/${kind}/*`, handle: (call) => pass(kind, call) };
}

async function pass(kind: string, { body, request, response, rest, query }: DoorRequest): Promise<void> {
  const { helper, room } = await openFiles(body);
  const method = request.method ?? 'GET';
  const headers: Record<string, string | string[]> = {};
  for (const name of PASSED) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = value;
  }
  const gone = new AbortController();
  response.once('close', () => (response.writableFinished && request.complete) || gone.abort());
  const upload = method === 'PUT' ? request : undefined;
  if (upload) {
    const bytes = await room.bytes();
    if (bytes !== undefined) headers['x-workspace-room'] = String(bytes);
    response.once('close', () => room.changed());
  }
  // A client that has gone meanwhile starts nothing.
  if (response.destroyed) return;
  // As it was sent: a name in the query need not be UTF-8.
  const search = /\?.*$/s.exec(request.url ?? '')?.[0] ?? '';
  const answer = await helper.request(method, `/${kind}/${rest}${query.size > 0 ? search : ''}`, {
    headers,
    body: upload,
    signal: gone.signal,
  });
  response.writeHead(answer.statusCode ?? 502, without(answer.headers));
  answer.pipe(response);
  flushSoon(response);
  answer.once('error', () => response.destroy());
  answer.once('close', () => answer.complete || response.destroy());
  // What is left of an upload that is refused is dropped until the manager closes the connection: closing it here could destroy the
  // response.
  if (upload && !upload.complete) request.resume();
}

function openFiles({ environment, settings, spec, log, signal }: DoorBody): Promise<BodyFiles> {
  return environment().then((ready) => {
    const files = getBodyFiles(ready, settings, spec, log);
    if (!closing.has(signal)) {
      closing.add(signal);
      signal.addEventListener('abort', () => files.helper.close(), { once: true });
    }
    return files;
  });
}

/** Bodies whose end is already waited for. */
const closing = new WeakSet<AbortSignal>();

const without = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !CONNECTION.has(name)));
