/** The parts of a manager for pools besides its loop: their records and their queues. */
import type { Logger } from 'pino';
import type { UsageTotal } from '../leader/health-monitor.ts';
import type { PoolPorts } from '../leader/pool-deps.ts';
import { errorMessage } from '../model/index.ts';
import type { PoolLoop } from '../pools/loop.ts';
import { type Link, PoolStore, type Store } from '../store/index.ts';
import type { Tasks } from '../tasks/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { taskScraper } from './scrape-tasks.ts';

export interface PoolServices {
  ports: PoolPorts;
  /** Writes the metrics of pools from the last reconciles; none if another manager leads. */
  scrape(loop: PoolLoop | undefined, usage: readonly UsageTotal[]): Promise<void>;
}

export function openPools(options: {
  redis: Link;
  settings: { cell: string };
  workers: Pick<Store, 'nodes'>;
  tasks: Tasks;
  metrics: Metrics;
  log: Logger;
}): PoolServices {
  const { redis, settings, workers, tasks, metrics, log } = options;
  const store = new PoolStore(redis, settings.cell);
  const scrapeTasks = taskScraper({ tasks, metrics, nodes: () => workers.nodes() });
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
          // Without this they are found when their locks expire, only later.
          .catch((error) =>
            log.warn(
              { worker_id, pool, why: errorMessage(error) },
              'failed to release tasks of a dead worker',
            ),
          );
      },
    },
    scrape(loop, usage) {
      metrics.poolWorkers.reset();
      for (const [pool, { status }] of loop?.statuses() ?? [])
        for (const state of ['desired', 'busy', 'idle', 'starting', 'failing', 'draining', 'warm'] as const)
          metrics.poolWorkers.set(status[state], { pool, state });
      metrics.workerCpu.reset();
      metrics.workerMemory.reset();
      metrics.workspaceBytes.reset();
      for (const { cpu_cores, memory_bytes, workspace_bytes, ...kind } of usage) {
        metrics.workerCpu.set(cpu_cores, kind);
        metrics.workerMemory.set(memory_bytes, kind);
        metrics.workspaceBytes.set(workspace_bytes, kind);
      }
      return scrapeTasks(loop);
    },
  };
}
