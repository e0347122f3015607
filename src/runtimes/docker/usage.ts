import type { ResourceUsage } from '../../model/index.ts';

/** The fields of the engine's statistics that are read; all are missing for a body that is not running. */
export interface Stats {
  cpu_stats?: { cpu_usage?: { total_usage?: number } };
  memory_stats?: { usage?: number; stats?: Record<string, number> };
  pids_stats?: { current?: number };
}

/**
 * The usage of a body. Memory is what `docker stats` shows: without the reclaimable page cache, which cgroup
 * v1 calls `total_inactive_file` and v2 `inactive_file`. Pure.
 */
export function toUsage(stats: Stats): ResourceUsage {
  const usage: ResourceUsage = {};
  const cpu = stats.cpu_stats?.cpu_usage?.total_usage;
  const memory = stats.memory_stats?.usage;
  const pids = stats.pids_stats?.current;
  // If the body is not running, CPU is 0 and memory is missing.
  if (memory === undefined) return usage;
  const cache =
    stats.memory_stats?.stats?.total_inactive_file ?? stats.memory_stats?.stats?.inactive_file ?? 0;
  usage.memory_bytes = cache < memory ? memory - cache : memory;
  if (cpu !== undefined) usage.cpu_seconds = cpu / 1e9;
  if (pids !== undefined) usage.pids = pids;
  return usage;
}
