import type { TaskView } from '../../model/task/task.ts';
import type { TaskLink } from '../connect.ts';
import { withQueueErrors } from '../queue-errors.ts';
import { type QueueKeys, toTaskId } from '../queue-keys.ts';
import { type TaskViewReply, toView } from './view.ts';

/** Where a task is read: its queue and its key in it. */
export interface TaskAddress {
  pool: string;
  queueKeys: QueueKeys;
  jobId: string;
}

/**
 * Reads a task with its place in the queue; undefined if it is unknown. `longest` is the maximum number of bytes of each of
 * its result, error and progress, which are left out if they are longer.
 */
export async function readTask(
  redis: TaskLink,
  { pool, queueKeys: { key, base }, jobId }: TaskAddress,
  longest = -1,
): Promise<{ view: TaskView; position: number } | undefined> {
  const keys = [base + jobId, ...['prioritized', 'wait', 'delayed', 'completed'].map(key)];
  const reply = (await withQueueErrors('look up a task', pool, () =>
    redis.taskView(...keys, jobId, longest),
  )) as TaskViewReply | null;
  if (!reply) return undefined;
  return { view: toView(toTaskId(jobId), pool, reply), position: Number(reply[1]) };
}
