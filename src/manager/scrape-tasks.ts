/** Metrics of tasks and of manually started nodes, read from Redis for each scrape, which never waits for it. */
import type { NodeView } from '../model/index.ts';
import type { PoolLoop } from '../pools/loop.ts';
import type { Tasks } from '../tasks/index.ts';
import { TASK_RESULTS } from '../tasks/results.ts';
import { lastKnown } from '../telemetry/last-known.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** What a scrape of the leader writes; other managers do not write it. */
export function taskScraper({
  tasks,
  metrics,
  nodes,
}: {
  tasks: Tasks;
  metrics: Metrics;
  nodes: () => Promise<NodeView[]>;
}): (loop: PoolLoop | undefined) => Promise<void> {
  /**
   * The data of each queue in Redis, including queues of manually started nodes and of pools that were deleted before
   * their tasks ended.
   */
  const read = lastKnown(async (declared: Set<string>) => {
    const names = new Set([...declared, ...(await tasks.pools())]);
    const queues = await Promise.all(
      [...names].map(async (pool) => {
        const queue = tasks.queue(pool);
        const [totals, waits, oldest, results, counts] = await Promise.all([
          queue.durations('durations').catch(() => undefined),
          queue.durations('waits').catch(() => undefined),
          queue.oldestSeconds().catch(() => undefined),
          queue.results().catch(() => undefined),
          declared.has(pool) ? undefined : queue.counts().catch(() => undefined),
        ]);
        return { pool, totals, waits, oldest, results, counts };
      }),
    );
    return { queues, nodes: await nodes().catch(() => []) };
  });
  return async (loop) => {
    const statuses = [...(loop?.statuses() ?? [])];
    const known = loop && (await read(new Set(statuses.map(([pool]) => pool))));
    const { tasks: waiting, tasksFinished, taskOomKills, taskDuration, taskWait, oldestTask } = metrics;
    const all = [waiting, tasksFinished, taskOomKills, taskDuration, taskWait, oldestTask, metrics.nodes];
    for (const metric of all) metric.reset();
    for (const [pool, { status }] of statuses)
      for (const state of ['queued', 'active'] as const)
        if (status[state] !== undefined) metrics.tasks.set(status[state], { pool, state });
    const declared = new Set(statuses.map(([pool]) => pool));
    for (const { pool, totals, waits, oldest, results, counts } of known?.queues ?? []) {
      if (totals) taskDuration.set(totals, { pool });
      if (waits) taskWait.set(waits, { pool });
      if (oldest !== undefined) oldestTask.set(oldest, { pool });
      if (results) {
        for (const result of TASK_RESULTS) tasksFinished.set(results[result], { pool, result });
        taskOomKills.set(results.oom_kills, { pool });
      }
      // The counts of declared pools are known from their last reconciles.
      for (const state of ['queued', 'active'] as const)
        if (counts && !declared.has(pool)) metrics.tasks.set(counts[state], { pool, state });
    }
    for (const [pool, states] of Map.groupBy(known?.nodes ?? [], (node) => node.pool))
      for (const [state, all] of Map.groupBy(states, (node) => node.state))
        metrics.nodes.set(all.length, { pool, state });
  };
}
