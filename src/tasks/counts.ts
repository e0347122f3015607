import type { TaskCounts, TaskPriority } from '../model/task/task.ts';
import type { TaskLink } from './connect.ts';
import { type QueueKeys, RANK } from './queue-keys.ts';

/** The number of tasks of a pool by state, and of those that wait by priority. */
export async function readCounts(redis: TaskLink, { key }: QueueKeys): Promise<TaskCounts> {
  const many = redis.pipeline();
  for (const rank of Object.values(RANK)) {
    many.zcount(key('prioritized'), rank * 0x100000000, `(${(rank + 1) * 0x100000000}`);
    many.zcount(key('prioritized'), rank, rank);
  }
  many.llen(key('wait')).zcard(key('delayed')).llen(key('active'));
  many.zcard(key('completed')).zcard(key('failed'));
  const numbers = ((await many.exec()) ?? []).map(([error, value]) => {
    if (error) throw error;
    return Number(value);
  });
  const queued_by_priority = {} as Record<TaskPriority, number>;
  for (const priority of Object.keys(RANK) as TaskPriority[]) {
    queued_by_priority[priority] = (numbers.shift() ?? 0) + (numbers.shift() ?? 0);
  }
  const [returned = 0, delayed = 0, active = 0, completed = 0, failed = 0] = numbers;
  const waiting = Object.values(queued_by_priority).reduce((sum, count) => sum + count, 0);
  return { queued: waiting + returned + delayed, queued_by_priority, delayed, active, completed, failed };
}
