import type { IQueueBackend } from 'bullmq';
import type { TaskView } from '../../model/task/task.ts';
import { Fault } from '../../model/values/fault.ts';
import { connectClient } from '../connect.ts';
import { PoolQueue, unknownTask } from '../queue.ts';
import { withQueueErrors } from '../queue-errors.ts';
import { getQueueKeys, getTaskPrefix, poolsKey, toJobId } from '../queue-keys.ts';
import type { TaskStoreAddress, Tasks } from '../tasks.ts';
import { listTasks } from './list-tasks.ts';

/** BullMQ lets the check for stalled tasks run once in this interval, for all callers together. */
const STALLED_CHECK_MS = 5000;

/** Opens the tasks of a cell. Connects at the first use, and reconnects forever if Redis is away. */
export function openTasks({ redisUrl, cell }: TaskStoreAddress): Tasks {
  const redis = connectClient(redisUrl);
  // Each command reports its own error; an error of the connection without a listener would end the process.
  redis.on('error', () => {});
  const findPool = async (taskId: string): Promise<string | undefined> => {
    const pools = (await withQueueErrors('look up a task', 'any', () =>
      redis.taskWhose(poolsKey(cell), getTaskPrefix(cell), toJobId(taskId)),
    )) as string[];
    if (pools.length > 1) {
      throw new Fault(
        'conflict',
        `The pools ${pools.sort().join(' and ')} each have a task ${taskId}: set the pool too.`,
      );
    }
    return pools[0];
  };
  const poolOf = async (taskId: string): Promise<string> => {
    const pool = await findPool(taskId);
    if (pool === undefined) throw unknownTask(taskId);
    return pool;
  };
  const pools = async (): Promise<string[]> =>
    (await withQueueErrors('list queues', 'any', () => redis.smembers(poolsKey(cell)))).sort();
  const backends = new Map<string, IQueueBackend>();
  // Loaded on demand: most clients that submit and read tasks never need it.
  const bullOf = async (pool: string): Promise<IQueueBackend> => {
    const { openBackend } = await import('../backend.ts');
    const backend =
      backends.get(pool) ??
      openBackend(redis, getQueueKeys(cell, pool), pool, { stalledCheckMs: STALLED_CHECK_MS });
    backends.set(pool, backend);
    try {
      await backend.waitUntilReady();
    } catch (error) {
      // A queue that cannot reach Redis when it is opened never works afterwards.
      if (backends.get(pool) === backend) backends.delete(pool);
      throw error;
    }
    return backend;
  };
  const queue: Tasks['queue'] = (pool, settings = {}) =>
    new PoolQueue(redis, { cell, pool, bull: () => bullOf(pool) }, settings);
  return {
    queue,
    async find(taskId): Promise<TaskView | undefined> {
      const pool = await findPool(taskId);
      return pool === undefined ? undefined : queue(pool).get(taskId);
    },
    async cancel(taskId, reason): Promise<TaskView> {
      return queue(await poolOf(taskId)).cancel(taskId, reason);
    },
    poolOf,
    async list({ pool, ...query } = {}) {
      return listTasks(redis, cell, pool === undefined ? await pools() : [pool], { pool, ...query });
    },
    pools,
    async close(): Promise<void> {
      redis.disconnect();
    },
  };
}
