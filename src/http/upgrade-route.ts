/** Routes of upgrades to another protocol. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Fault } from '../model/values/fault.ts';
import { errorResponse, matchRoutes, type OnHandled } from './route.ts';

/** A request that wants another protocol, at a path of `UpgradeRoute`. */
export interface UpgradeCall {
  /** The parameters of the path, decoded. */
  params: Record<string, string>;
  query: URLSearchParams;
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
}

export interface UpgradeRoute {
  /** For example `/v1/workers/:worker_id/pty`; a `*` at the end stands for the rest of the path. */
  path: string;
  /** Answers on the socket and returns the status, or throws a Fault, which becomes the response. */
  handle(call: UpgradeCall): Promise<number>;
}

/** Answers an upgrade by its route, and reports it like every other request; throws a Fault `not_found` if there is none. */
export async function routeUpgrade(
  routes: readonly UpgradeRoute[],
  { url, ...exchange }: Pick<UpgradeCall, 'request' | 'socket' | 'head'> & { url: string },
  onHandled?: OnHandled,
): Promise<void> {
  const began = performance.now();
  let route: string | undefined;
  let status = 500;
  try {
    const { path, handle, call } = findUpgradeRoute(routes, url);
    route = path;
    status = await handle({ ...call, ...exchange });
  } catch (error) {
    if (error instanceof Fault) status = errorResponse(error).status;
    throw error;
  } finally {
    const method = exchange.request.method ?? 'GET';
    onHandled?.({ route, method, status, seconds: (performance.now() - began) / 1000 });
  }
}

function findUpgradeRoute(
  routes: readonly UpgradeRoute[],
  url: string,
): UpgradeRoute & { call: Pick<UpgradeCall, 'params' | 'query'> } {
  const [path = '', search = ''] = url.split('?', 2);
  for (const { path: pattern, handle } of routes) {
    const open = pattern.endsWith('/*');
    const depth = pattern.split('/').length - (open ? 1 : 0);
    const parts = path.split('/');
    const fixed = open ? parts.slice(0, depth).join('/') : path;
    const found = matchRoutes([{ path: open ? pattern.slice(0, -2) : pattern }], fixed);
    if (!found || (open && parts.length <= depth)) continue;
    const rest = open ? { rest: parts.slice(depth).join('/') } : {};
    return {
      path: pattern,
      handle,
      call: { params: { ...found.params, ...rest }, query: new URLSearchParams(search) },
    };
  }
  throw new Fault('not_found', `There is nothing at ${path.slice(0, 400)} that changes the protocol.`);
}
