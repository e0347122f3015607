/** A repeated ID is the same task only with the same payload: otherwise, its result would pass for that of another one. */
import { isDeepStrictEqual } from 'node:util';
import type { TaskPayload } from '../model/task/task.ts';
import { Fault } from '../model/values/fault.ts';
import type { TaskLink } from './connect.ts';
import { withQueueErrors } from './queue-errors.ts';
import { readStored } from './stored-task.ts';

/** Throws a Fault `conflict` if the task stored at `key` has another payload. */
export async function rejectOtherPayload(
  redis: TaskLink,
  { pool, key, task_id, payload }: { pool: string; key: string; task_id: string; payload: TaskPayload },
): Promise<void> {
  const data = await withQueueErrors('look up a task', pool, () => redis.hget(key, 'data'));
  const stored = data === null ? 'deleted' : readStored(data);
  if (typeof stored === 'string') return;
  if (isDeepStrictEqual(toPlainPayload(stored.payload), toPlainPayload(payload))) return;
  throw new Fault(
    'conflict',
    `The task ${task_id} exists already, with another payload: use another task_id or Idempotency-Key.`,
  );
}

/** As it is read from JSON, and with the arguments of a function that got none. */
const toPlainPayload = (payload: TaskPayload): unknown => ({
  ...('function' in payload && { args: [], kwargs: {} }),
  ...(JSON.parse(JSON.stringify(payload)) as object),
});
