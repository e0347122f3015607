/**
 * BullMQ's `IQueueBackend` on Redis: each step of a job as one atomic command. Its Queue and Worker are built on the same
 * interface; the bundle of the wrapper leaves them out.
 */
import { createIORedisClient, createRedisBackend, type IQueueBackend, type IRedisClient } from 'bullmq';
import type { TaskLink } from './connect.ts';
import { readTakenJob } from './job.ts';
import { LOSS_LIMIT, type QueueKeys } from './queue-keys.ts';

interface BackendOptions {
  /** The worker that takes tasks; stored with each task. Absent if it takes none. */
  name?: string;
  lockMs?: number;
  /** The check for stalled tasks runs once in this interval, for all callers together; an integer. */
  stalledCheckMs: number;
}

/** With `lockMs`, it has a connection of its own to wait for tasks. */
export function openBackend(
  redis: TaskLink,
  { prefix }: QueueKeys,
  pool: string,
  { name, lockMs, stalledCheckMs }: BackendOptions,
): IQueueBackend {
  const options = {
    connection: readOwnJobs(redis),
    prefix,
    maxStalledCount: LOSS_LIMIT,
    stalledInterval: stalledCheckMs,
    ...(name !== undefined && { name }),
    ...(lockMs === undefined ? { skipVersionCheck: true } : { lockDuration: lockMs }),
  };
  const backend = createRedisBackend(pool, options as Parameters<typeof createRedisBackend>[1], {
    withBlockingConnection: lockMs !== undefined,
  });
  // It emits the errors of its connections again; an error without a listener ends the process.
  backend.on('error', () => {});
  return backend;
}

/**
 * A client that returns jobs as `job.ts` reads them, because BullMQ's own decoder throws on unexpected
 * fields.
 */
function readOwnJobs(redis: TaskLink): IRedisClient {
  const client: IRedisClient = createIORedisClient(redis);
  const runCommand: IRedisClient['runCommand'] = async (name, args) =>
    readTakenJob(name, await client.runCommand(name, args));
  return new Proxy(client, {
    get: (target, key) => (key === 'runCommand' ? runCommand : Reflect.get(target, key)),
  });
}
