/** Pools over HTTP: changes are written to the command stream, and data is read from the store. */
import { Fault, type NodeView, type PoolView, parseCommand, type WorkerStats } from '../model/index.ts';
import { getIdempotencyKey } from './idempotency.ts';
import { type ApiRequest, jsonResponse, type Route } from './route.ts';
import { toWorkerStats } from './worker-stats.ts';

export interface PoolRoutesOptions {
  views: () => Promise<PoolView[]>;
  /** The manually started nodes. */
  nodes: () => Promise<NodeView[]>;
  /** Executes a command; throws the Fault of an error response. */
  sendCommand: (command: { command: string; request_id?: string }) => Promise<Record<string, unknown>>;
}

export function createPoolRoutes({ views, nodes, sendCommand }: PoolRoutesOptions): Route[] {
  const list = async (): Promise<{ pools: PoolView[]; worker_stats: WorkerStats }> => {
    const [pools, external] = await Promise.all([views(), nodes()]);
    return { pools, worker_stats: toWorkerStats(pools, external) };
  };
  const one = async (name: string): Promise<PoolView> => {
    const found = (await views()).find((pool) => pool.name === name);
    if (!found) throw new Fault('not_found', `There is no pool ${name}.`);
    return found;
  };
  const command = async (request: ApiRequest, fields: { command: string; [field: string]: unknown }) => {
    const key = getIdempotencyKey(request);
    const keyed = key === undefined ? fields : { request_id: key, ...fields };
    // Errors in the request are reported immediately, even while no manager leads.
    parseCommand({ request_id: 'any', ...keyed });
    return sendCommand(keyed);
  };
  const apply = async (request: ApiRequest, name?: string) => {
    const input = await request.json();
    const pool =
      name !== undefined && typeof input === 'object' && input !== null && !Array.isArray(input)
        ? { name, ...input }
        : input;
    if (name !== undefined && (pool as { name?: unknown } | null)?.name !== name)
      throw new Fault('invalid_command', `The pool in the body does not have the name in the path, ${name}.`);
    const answer = await command(request, { command: 'apply', pool });
    return jsonResponse(answer.change === 'created' ? 201 : 200, answer);
  };
  const nameOf = ({ params }: ApiRequest) => params.name ?? '';
  return [
    { method: 'GET', path: '/v1/pools', handle: async () => jsonResponse(200, await list()) },
    { method: 'POST', path: '/v1/pools', handle: (request) => apply(request) },
    {
      method: 'GET',
      path: '/v1/pools/:name',
      handle: async (request) => jsonResponse(200, await one(nameOf(request))),
    },
    { method: 'PUT', path: '/v1/pools/:name', handle: (request) => apply(request, nameOf(request)) },
    {
      method: 'DELETE',
      path: '/v1/pools/:name',
      handle: async (request) =>
        jsonResponse(200, await command(request, { command: 'delete_pool', pool: nameOf(request) })),
    },
    {
      method: 'POST',
      path: '/v1/pools/:name/scale',
      handle: async (request) => {
        const input = await request.json();
        const { count } = (typeof input === 'object' && input !== null ? input : {}) as { count?: unknown };
        return jsonResponse(200, await command(request, { command: 'scale', pool: nameOf(request), count }));
      },
    },
  ];
}
