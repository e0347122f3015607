/** Requests to the bodies of workers over the manager's HTTP API, streamed both ways. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { workerId } from '../../model/index.ts';
import { Fault } from '../../model/values/fault.ts';
import type { Context } from '../context.ts';
import type { ManagerApi } from '../deps.ts';
import { toWorkerRef } from '../refs.ts';
import { matchPrefix } from '../worker-id.ts';
import { createUnansweredFault, parseRefusal, readManagerList } from './manager-api.ts';
import { directAgent, toManagerUrl } from './manager-url.ts';

/** The API of the cell's manager; throws a Fault if none is known. */
export function requireApi({ deps }: Pick<Context, 'deps'>): ManagerApi {
  const api = deps.api();
  if (api) return api;
  throw new Fault(
    'unavailable',
    'No manager is known, and only a manager can reach the bodies of workers: start one with `wm serve`, or set WM_URL and WM_TOKEN.',
  );
}

/** The ID or the name in the path of a request: a unique prefix of an ID becomes the ID, unless it is also a name. */
export async function toWorkerPath(api: ManagerApi, ref: string): Promise<string> {
  const name = toWorkerRef(ref.trim());
  const isPrefix = /^[0-9a-f-]+$/i.test(name) && !workerId.safeParse(name).success;
  if (!isPrefix) return `/v1/workers/${encodeURIComponent(name)}`;
  const all = await readManagerList<{ worker_id: string; name: string | null }>(
    api,
    '/v1/workers?limit=1000',
  );
  if (all.some((worker) => worker.name === name)) return `/v1/workers/${encodeURIComponent(name)}`;
  const found = matchPrefix(
    all.map(({ worker_id }) => worker_id),
    name,
  );
  if (found.length > 1)
    throw new Fault('conflict', `More than one worker has the ID ${name}…; use a longer prefix.`);
  return `/v1/workers/${encodeURIComponent(found[0] ?? name)}`;
}

export interface BodyRequest {
  method: string;
  path: string;
  headers?: Record<string, string>;
}

/** The JSON of a response without a long body. Throws a Fault if the request is refused. */
export async function requestJson<T>(api: ManagerApi, request: BodyRequest, body?: object): Promise<T> {
  const type = body && { 'content-type': 'application/json' };
  const { request: sent, response } = openRequest(api, {
    ...request,
    headers: { ...type, ...request.headers },
  });
  sent.end(body && JSON.stringify(body));
  return JSON.parse(await text(await response)) as T;
}

/** Begins a request, whose body the caller writes. `response` rejects with a Fault if it is refused. */
export function openRequest(
  api: ManagerApi,
  { method, path, headers = {} }: BodyRequest,
): { request: ClientRequest; response: Promise<IncomingMessage> } {
  const url = toManagerUrl(api, path);
  const { request: ask } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const token = api.token === undefined ? {} : { authorization: `Bearer ${api.token}` };
  const request = ask(url, { method, headers: { ...token, ...headers }, ...directAgent(url) });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', (answer) => {
      const status = answer.statusCode ?? 0;
      if (status < 300) resolve(answer);
      else text(answer).then((body) => reject(parseRefusal(api, status, body)), reject);
    });
    request.on('error', (cause) => reject(createUnansweredFault(api, cause)));
  });
  response.catch(() => {});
  return { request, response };
}
