import type { TaskLink } from './connect.ts';
import type { QueueKeys } from './queue-keys.ts';

/**
 * Upper bounds of the histogram's buckets, in seconds: Prometheus' defaults, and longer ones for long tasks.
 */
export const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/**
 * Durations of attempts, or of waits: `buckets` has, for each of DURATION_BUCKETS, the number of those that took no
 * longer.
 */
export interface DurationTotals {
  count: number;
  sum: number;
  buckets: number[];
}

/** What is measured of tasks: how long their attempts take, and how long they wait for the first one. */
export type Measured = 'durations' | 'waits';

/** Adds a worker's measurements since its last report, so that the pool's sum outlives its workers. */
export async function addDurations(
  redis: TaskLink,
  { key }: QueueKeys,
  of: Measured,
  totals: DurationTotals,
): Promise<void> {
  const many = redis.pipeline();
  many.hincrby(key(of), 'count', totals.count);
  many.hincrbyfloat(key(of), 'sum', totals.sum);
  for (const [at, count] of totals.buckets.entries())
    if (count > 0) many.hincrby(key(of), String(DURATION_BUCKETS[at]), count);
  for (const [error] of (await many.exec()) ?? []) if (error) throw error;
}

/** All reports of the workers of a pool, including dead ones. */
export async function readDurations(
  redis: TaskLink,
  { key }: QueueKeys,
  of: Measured,
): Promise<DurationTotals> {
  const found = await redis.hgetall(key(of));
  // A field that another program wrote must not make the whole scrape unreadable.
  const number = (field: string | number) => {
    const value = Number(found[field] ?? 0);
    return Number.isFinite(value) && value > 0 ? value : 0;
  };
  return { count: number('count'), sum: number('sum'), buckets: DURATION_BUCKETS.map(number) };
}
