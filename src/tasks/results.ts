import type { TaskLink } from './connect.ts';
import type { QueueKeys } from './queue-keys.ts';

/** How a task ended. All results except `completed` are failures; `failed` is an error of the handler. */
export const TASK_RESULTS = ['completed', 'failed', 'timeout', 'cancelled', 'lost', 'unreadable'] as const;
export type TaskResult = (typeof TASK_RESULTS)[number];

/** The number of tasks of a pool that ended, by result, and other counts. */
export type ResultTotals = Record<TaskResult | 'oom_kills', number>;
const COUNTED = [...TASK_RESULTS, 'oom_kills'] as const;

/** Adds a worker's counts since its last report, so that the pool's sums outlive its workers. */
export async function addResults(redis: TaskLink, { key }: QueueKeys, more: ResultTotals): Promise<void> {
  const many = redis.pipeline();
  for (const name of COUNTED) if (more[name] > 0) many.hincrby(key('results'), name, more[name]);
  for (const [error] of (await many.exec()) ?? []) if (error) throw error;
}

/** The counts of all workers of a pool, including dead ones. */
export async function readResults(redis: TaskLink, { key }: QueueKeys): Promise<ResultTotals> {
  const found = await redis.hmget(key('results'), ...COUNTED);
  // A field that another program wrote must not make the whole scrape unreadable.
  const count = (text: string | null | undefined) => (/^\d{1,15}$/.test(text ?? '') ? Number(text) : 0);
  return Object.fromEntries(COUNTED.map((name, at) => [name, count(found[at])])) as ResultTotals;
}

/** The difference between two counts; undefined if there is none. */
export function sinceThen(now: ResultTotals, before: ResultTotals | undefined): ResultTotals | undefined {
  const more = COUNTED.map((name) => [name, now[name] - (before?.[name] ?? 0)] as const);
  return more.some(([, count]) => count > 0) ? (Object.fromEntries(more) as ResultTotals) : undefined;
}
