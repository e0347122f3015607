import { toUsageViews } from '../../http/workers/usage-view.ts';
import { toWorkerStats } from '../../http/workers/worker-stats.ts';
import { createStatsReader } from '../../manager/stats-service.ts';
import { missingPool } from '../../model/index.ts';
import { PoolStore, WebhookStore } from '../../store/index.ts';
import type { Tasks } from '../../tasks/index.ts';
import type { PoolTransport } from '../transport.ts';
import type { PoolInfo, WebhookDeliveryInfo } from '../types.ts';
import { needsHttp } from './ask-body.ts';
import type { RedisCell } from './redis-cell.ts';

/** Deliveries in a list, as over HTTP. */
const WEBHOOKS = 50;

export function createRedisPools(cell: RedisCell, tasks: Tasks): PoolTransport {
  const store = new PoolStore(cell.redis, cell.name);
  const webhooks = new WebhookStore(cell.redis, cell.store.keys);
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
    listUsage: (options) => cell.run(options, async () => toUsageViews(await cell.store.usage())),
    listImages: needsHttp('The images of the engine need the HTTP API of a manager, which reaches it.'),
    listWebhooks: (limit = WEBHOOKS, options) =>
      cell.run(options, async () => (await webhooks.list(limit)) as WebhookDeliveryInfo[]),
  };
}
