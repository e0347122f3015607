import type { TaskLink } from './connect.ts';
import type { QueueKeys } from './queue-keys.ts';

/** How a task ended. All but `completed` are tasks that failed; `failed` is an error of the handler. */
export const TASK_RESULTS = ['completed', 'failed', 'timeout', 'cancelled', 'lost', 'unreadable'] as const;
export type TaskResult = (typeof TASK_RESULTS)[number];

/** How many tasks of a pool ended, by how, and what else is counted of them. */
export type ResultTotals = Record<TaskResult | 'oom_kills', number>;
const COUNTED = [...TASK_RESULTS, 'oom_kills'] as const;

/** Adds what a worker has counted since it last did so; so the pool's sums outlive its workers. */
export async function addResults(redis: TaskLink, { key }: QueueKeys, more: ResultTotals): Promise<void> {
  const many = redis.pipeline();
  for (const name of COUNTED) if (more[name] > 0) many.hincrby(key('results'), name, more[name]);
  for (const [error] of (await many.exec()) ?? []) if (error) throw error;
}

/** All that the workers of a pool have counted, the dead ones included. */
export async function readResults(redis: TaskLink, { key }: QueueKeys): Promise<ResultTotals> {
  const found = await redis.hmget(key('results'), ...COUNTED);
  // A field that another program wrote must not make the whole scrape unreadable.
  const count = (text: string | null | undefined) => (/^\d{1,15}$/.test(text ?? '') ? Number(text) : 0);
  return Object.fromEntries(COUNTED.map((name, at) => [name, count(found[at])])) as ResultTotals;
}

/** What has been added since; undefined if nothing was. */
export function sinceThen(now: ResultTotals, before: ResultTotals | undefined): ResultTotals | undefined {
  const more = COUNTED.map((name) => [name, now[name] - (before?.[name] ?? 0)] as const);
  return more.some(([, count]) => count > 0) ? (Object.fromEntries(more) as ResultTotals) : undefined;
}
