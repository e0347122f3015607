import { toWorkerStats } from '../../http/workers/worker-stats.ts';
import { createStatsReader } from '../../manager/stats-service.ts';
import { missingPool } from '../../model/index.ts';
import { PoolStore } from '../../store/index.ts';
import type { Tasks } from '../../tasks/index.ts';
import type { PoolTransport } from '../transport.ts';
import type { PoolInfo } from '../types.ts';
import type { RedisCell } from './redis-cell.ts';

export function createRedisPools(cell: RedisCell, tasks: Tasks): PoolTransport {
  const store = new PoolStore(cell.redis, cell.name);
  const readStats = createStatsReader({ store: cell.store, pools: () => store.views(), tasks });
  return {
    listPools: (options) =>
      cell.run(options, async () => {
        const [pools, nodes] = await Promise.all([store.views(), cell.store.nodes()]);
        return { pools: pools as PoolInfo[], worker_stats: toWorkerStats(pools, nodes) };
      }),
    getPool: (name, options) =>
      cell.run(options, async () => {
        const found = (await store.views()).find((pool) => pool.name === name);
        if (!found) throw missingPool(name);
        return found as PoolInfo;
      }),
    applyPool: (pool, options) => cell.run(options, () => cell.command({ command: 'apply', pool }, options)),
    scalePool: (pool, count, options) =>
      cell.run(options, () => cell.command({ command: 'scale', pool, count }, options)),
    deletePool: (pool, options) =>
      cell.run(options, () => cell.command({ command: 'delete_pool', pool }, options)),
    listNodes: (options) => cell.run(options, () => cell.store.taskNodes()),
    getStats: (options) => cell.run(options, readStats),
  };
}
