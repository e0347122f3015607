/** The numbers of a cell for `GET /v1/stats`. */
import type { CellStats, QueueDepths } from '../http/routes/stats.ts';
import { toWorkerStats } from '../http/workers/worker-stats.ts';
import { formatInstant, type PoolView, type Summary, type UsageReading } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import type { Tasks } from '../tasks/index.ts';

/** All workers are read for it, so frequent requests share an answer. */
const FRESH_MS = 1000;

export function createStatsReader({
  store,
  pools,
  tasks,
  now = Date.now,
}: {
  store: Pick<Store, 'summaries' | 'usage' | 'nodes'>;
  pools: () => Promise<PoolView[]>;
  tasks: Tasks;
  now?: () => number;
}): () => Promise<CellStats> {
  let last: { until: number; stats: Promise<CellStats> } | undefined;
  const read = async (): Promise<CellStats> => {
    const at = formatInstant(now());
    const [workers, usage, views, nodes, names] = await Promise.all([
      store.summaries(),
      store.usage(),
      pools(),
      store.nodes(),
      tasks.pools(),
    ]);
    const all = [...new Set([...views.map(({ name }) => name), ...names])].sort();
    const queues = await Promise.all(all.map(async (pool) => [pool, await readDepths(tasks, pool)] as const));
    return {
      at,
      workers: countWorkers(workers, usage),
      worker_stats: toWorkerStats(views, nodes),
      tasks: sum(queues.map(([, depths]) => depths)),
      queues: Object.fromEntries(queues),
    };
  };
  return () => {
    if (last && performance.now() < last.until) return last.stats;
    const stats = read();
    const mine = { until: performance.now() + FRESH_MS, stats };
    last = mine;
    stats.catch(() => {
      if (last === mine) last = undefined;
    });
    return stats;
  };
}

async function readDepths(tasks: Tasks, pool: string): Promise<QueueDepths> {
  const { queued, delayed, active, completed, failed } = await tasks.queue(pool).counts();
  return { queued, delayed, active, completed, failed };
}

function sum(all: readonly QueueDepths[]): QueueDepths {
  const total = { queued: 0, delayed: 0, active: 0, completed: 0, failed: 0 };
  for (const depths of all)
    for (const name of Object.keys(total) as (keyof QueueDepths)[]) total[name] += depths[name];
  return total;
}

function countWorkers(
  workers: readonly Summary[],
  usage: Readonly<Record<string, UsageReading>>,
): CellStats['workers'] {
  const by = (field: 'status' | 'runtime' | 'agent_type') => {
    const groups = Map.groupBy(workers, (worker) => worker[field] ?? 'unknown');
    return Object.fromEntries([...groups].map(([name, members]) => [name, members.length]));
  };
  const readings = workers.flatMap(({ worker_id }) => usage[worker_id] ?? []);
  return {
    total: workers.length,
    by_status: by('status'),
    by_runtime: by('runtime'),
    by_agent_type: by('agent_type'),
    cpu_percent: readings.reduce((total, { cpu_percent = 0 }) => total + cpu_percent, 0),
    memory_bytes: readings.reduce((total, { memory_bytes = 0 }) => total + memory_bytes, 0),
  };
}
