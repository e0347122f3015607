/** Pools over HTTP: what is asked is put on the stream of commands, what is told is read from the store. */
import { Fault, type NodeView, type PoolView, parseCommand, type WorkerStats } from '../model/index.ts';
import { statsOf } from '../pools/stats.ts';
import { keyOf } from './idempotency.ts';
import { type Asked, json, type Route } from './route.ts';

export interface PoolRoutesOptions {
  views: () => Promise<PoolView[]>;
  /** The nodes that were started by hand. */
  nodes: () => Promise<NodeView[]>;
  /** Carries out a command; throws the Fault of a refusal. */
  ask: (command: { command: string; request_id?: string }) => Promise<Record<string, unknown>>;
}

export function poolRoutes({ views, nodes, ask }: PoolRoutesOptions): Route[] {
  const list = async (): Promise<{ pools: PoolView[]; worker_stats: WorkerStats }> => {
    const [pools, external] = await Promise.all([views(), nodes()]);
    return { pools, worker_stats: statsOf(pools, external) };
  };
  const one = async (name: string): Promise<PoolView> => {
    const found = (await views()).find((pool) => pool.name === name);
    if (!found) throw new Fault('not_found', `There is no pool ${name}.`);
    return found;
  };
  const command = async (asked: Asked, fields: { command: string; [field: string]: unknown }) => {
    const key = keyOf(asked);
    const keyed = key === undefined ? fields : { request_id: key, ...fields };
    // What is wrong is told at once, also while no manager leads.
    parseCommand({ request_id: 'any', ...keyed });
    return ask(keyed);
  };
  const apply = async (asked: Asked, name?: string) => {
    const given = await asked.json();
    const pool =
      name !== undefined && typeof given === 'object' && given !== null && !Array.isArray(given)
        ? { name, ...given }
        : given;
    if (name !== undefined && (pool as { name?: unknown } | null)?.name !== name)
      throw new Fault('invalid_command', `The pool in the body does not have the name in the path, ${name}.`);
    const answer = await command(asked, { command: 'apply', pool });
    return json(answer.change === 'created' ? 201 : 200, answer);
  };
  const nameOf = ({ params }: Asked) => params.name ?? '';
  return [
    { method: 'GET', path: '/v1/pools', handle: async () => json(200, await list()) },
    { method: 'POST', path: '/v1/pools', handle: (asked) => apply(asked) },
    { method: 'GET', path: '/v1/pools/:name', handle: async (asked) => json(200, await one(nameOf(asked))) },
    { method: 'PUT', path: '/v1/pools/:name', handle: (asked) => apply(asked, nameOf(asked)) },
    {
      method: 'DELETE',
      path: '/v1/pools/:name',
      handle: async (asked) =>
        json(200, await command(asked, { command: 'delete_pool', pool: nameOf(asked) })),
    },
    {
      method: 'POST',
      path: '/v1/pools/:name/scale',
      handle: async (asked) => {
        const given = await asked.json();
        const { count } = (typeof given === 'object' && given !== null ? given : {}) as { count?: unknown };
        return json(200, await command(asked, { command: 'scale', pool: nameOf(asked), count }));
      },
    },
  ];
}
