import type { NodeView, PoolView, WorkerStats } from '../../model/index.ts';

/** How many ready workers of each type work and wait, over all pools and the nodes that were started by hand. Pure. */
export function toWorkerStats(pools: readonly PoolView[], nodes: readonly NodeView[] = []): WorkerStats {
  const stats: WorkerStats = {};
  const add = (type: string, idle: number, busy: number) => {
    const before = stats[type] ?? { idle: 0, busy: 0 };
    stats[type] = { idle: before.idle + idle, busy: before.busy + busy };
  };
  for (const { worker_type, status } of pools) add(worker_type, status?.idle ?? 0, status?.busy ?? 0);
  // An undeclared pool has its name as its type, as one that declares none.
  const types = new Map(pools.map(({ name, worker_type }) => [name, worker_type]));
  for (const { pool, state } of nodes)
    add(types.get(pool) ?? pool, state === 'idle' ? 1 : 0, state === 'busy' ? 1 : 0);
  return stats;
}
