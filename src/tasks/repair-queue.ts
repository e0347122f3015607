import type { TaskLink } from './connect.ts';
import { type QueueKeys, toTaskId } from './queue-keys.ts';
import { toUnreadableFailure } from './stored-task.ts';

/** Why a step in Redis failed: Redis refused it, possibly because of the content of the queue. */
export const isReplyError = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ReplyError';

/**
 * Takes tasks out of the way that BullMQ's scripts fail on: each of them would fail for every worker, again and again.
 * With `force` at once, else no more often than the check for stalled tasks. Returns the tasks that it put aside.
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
