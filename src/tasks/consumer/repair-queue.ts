import type { TaskLink } from '../connect.ts';
import { type QueueKeys, toTaskId } from '../queue-keys.ts';
import { toUnreadableFailure } from '../stored-task.ts';

/** Why Redis rejected a step, possibly because of the content of the queue. */
export const isReplyError = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ReplyError';

/**
 * Removes tasks that make BullMQ's scripts fail, because they would fail repeatedly for every worker. With
 * `force` it runs immediately, otherwise at most as often as the check for stalled tasks. Returns the removed
 * tasks.
 */
export async function repairQueue(
  redis: TaskLink,
  { key, base }: QueueKeys,
  force: boolean,
): Promise<string[]> {
  const reason = JSON.stringify(
    toUnreadableFailure('its key is not a hash, or one of its counters is not a number'),
  );
  const keys = ['active', 'delayed', 'stalled', 'failed', 'stalled-check'].map(key);
  const put = (await redis.taskMend(...keys, base, Date.now(), reason, force ? 1 : 0)) as string[];
  return put.map(toTaskId);
}
