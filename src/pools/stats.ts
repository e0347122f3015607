import type { PoolView, WorkerStats } from '../model/index.ts';

/** How many ready workers of each type work and wait, over all pools. Pure. */
export function statsOf(pools: readonly PoolView[]): WorkerStats {
  const stats: WorkerStats = {};
  for (const { worker_type, status } of pools) {
    const { idle, busy } = stats[worker_type] ?? { idle: 0, busy: 0 };
    stats[worker_type] = { idle: idle + (status?.idle ?? 0), busy: busy + (status?.busy ?? 0) };
  }
  return stats;
}
