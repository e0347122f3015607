import type { TaskLink } from '../connect.ts';
import { poolsKey, type QueueKeys } from '../queue-keys.ts';
import { type ActiveTask, getAttempt } from './active-task.ts';

/** `cancelled`: still held, and should end. */
export type Renewed = 'held' | 'lost' | 'cancelled';
const RENEWAL_RESULTS: readonly Renewed[] = ['held', 'lost', 'cancelled'];

/** Renews the locks of tasks, in their order. One that expired is taken again if no other attempt has started. */
export async function renew(
  redis: TaskLink,
  queueKeys: QueueKeys,
  { cell, pool }: { cell: string; pool: string },
  lockMs: number,
  all: readonly ActiveTask[],
): Promise<Renewed[]> {
  const keys = [queueKeys.key('stalled'), poolsKey(cell), queueKeys.key('active')];
  const each = all.flatMap((activeTask) => [activeTask.jobId, activeTask.token, getAttempt(activeTask)]);
  const results = (await redis.taskRenew(...keys, queueKeys.base, lockMs, pool, ...each)) as number[];
  return results.map((number) => RENEWAL_RESULTS[number] ?? 'lost');
}
