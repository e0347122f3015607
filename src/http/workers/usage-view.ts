import type { UsageReading } from '../../model/index.ts';

/** CPU and memory of a worker, as clients see it. */
export interface UsageView {
  worker_id: string;
  cpu_percent: number | null;
  memory_bytes: number | null;
  pids: number | null;
  checked_at: string;
}

/** The readings of workers, by their IDs. */
export const toUsageViews = (usage: Record<string, UsageReading>): UsageView[] =>
  Object.entries(usage).map(
    ([worker_id, { cpu_percent = null, memory_bytes = null, pids = null, at: checked_at }]) => ({
      worker_id,
      cpu_percent,
      memory_bytes,
      pids,
      checked_at,
    }),
  );
