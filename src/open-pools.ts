/** The parts of a manager that pools need beside its loop: their records, their queues, their answers over HTTP. */
import type { Logger } from 'pino';
import { poolRoutes } from './http/pools.ts';
import type { Route } from './http/route.ts';
import { messageOf } from './model/index.ts';
import type { PoolPorts } from './reconcile/pool-ports.ts';
import type { PoolLoop } from './reconcile/pools.ts';
import { createAsker, type Link, PoolStore } from './store/index.ts';
import type { Tasks } from './tasks/index.ts';
import { lastKnown } from './telemetry/last-known.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface PoolParts {
  ports: PoolPorts;
  routes: Route[];
  /** Writes the metrics of pools as the last passes saw them; none where another manager leads. */
  scrape(loop: PoolLoop | undefined): Promise<void>;
  close(): void;
}

export function openPools(options: {
  redis: Link;
  settings: { redisUrl: string; cell: string };
  keys: Parameters<typeof createAsker>[1];
  tasks: Tasks;
  metrics: Metrics;
  log: Logger;
}): PoolParts {
  const { redis, settings, keys, tasks, metrics, log } = options;
  const store = new PoolStore(redis, settings.cell);
  const asker = createAsker(redis, keys, settings.redisUrl);
  /** What Redis knows of each queue, also of nodes that were started by hand and of pools that were deleted before their tasks were done. */
  const queuesOf = lastKnown(async (declared: Set<string>) => {
    const names = new Set([...declared, ...(await tasks.pools())]);
    return Promise.all(
      [...names].map(async (pool) => {
        const queue = tasks.queue(pool);
        const [totals, counts] = await Promise.all([
          queue.durations().catch(() => undefined),
          declared.has(pool) ? undefined : queue.counts().catch(() => undefined),
        ]);
        return { pool, totals, counts };
      }),
    );
  });
  return {
    ports: {
      store,
      counts: (pool) => tasks.queue(pool).counts(),
      release(pool, worker_id, incarnation) {
        tasks
          .queue(pool)
          .release(worker_id, incarnation)
          .then(
            (count) =>
              count > 0 && log.info({ worker_id, pool, tasks: count }, 'tasks of a dead worker released'),
          )
          // They are found without it when their locks end, only later.
          .catch((error) => log.warn({ worker_id, pool, why: messageOf(error) }, 'tasks not released'));
      },
    },
    routes: poolRoutes({ views: () => store.views(), ask: (command) => asker.ask(command) }),
    async scrape(loop) {
      metrics.poolWorkers.reset();
      metrics.tasks.reset();
      for (const [pool, { status }] of loop?.statuses() ?? []) {
        for (const state of ['desired', 'busy', 'idle', 'starting', 'failing', 'draining', 'warm'] as const)
          metrics.poolWorkers.set(status[state], { pool, state });
        for (const state of ['queued', 'active'] as const)
          if (status[state] !== undefined) metrics.tasks.set(status[state], { pool, state });
      }
      metrics.taskDuration.reset();
      const declared = new Set([...(loop?.statuses() ?? [])].map(([pool]) => pool));
      // Other managers tell of the queues; a scrape never waits for Redis.
      const queues = loop ? ((await queuesOf(declared)) ?? []) : [];
      for (const { pool, totals, counts } of queues) {
        if (totals) metrics.taskDuration.set(totals, { pool });
        // The counts of declared pools are known from their last passes.
        for (const state of ['queued', 'active'] as const)
          if (counts && !declared.has(pool)) metrics.tasks.set(counts[state], { pool, state });
      }
    },
    close: () => asker.close(),
  };
}
