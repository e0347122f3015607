/**
 * BullMQ's steps in Redis, without its Queue, Worker, schedulers and other stores: those would be half of what a task
 * worker loads at its start. The path is no public one, so the version is pinned; the types are checked against the whole.
 */
import type { RedisQueueBackend } from 'bullmq';
import { createRedisBackend } from 'bullmq/dist/cjs/utils/create-backend.js';
import type { TaskLink } from './connect.ts';
import { readOwnJobs } from './job.ts';
import { LOSS_LIMIT, type Place } from './place.ts';

interface BackendOptions {
  /** Who takes tasks; stands with each task. Absent where none are taken. */
  name?: string;
  lockMs?: number;
  /** The check for stalled tasks runs once in so long, whoever asks; an integer. */
  stalledCheckMs: number;
}

/** With `lockMs`, it has a connection of its own to wait for tasks. */
export function openBackend(
  redis: TaskLink,
  { prefix }: Place,
  pool: string,
  { name, lockMs, stalledCheckMs }: BackendOptions,
): RedisQueueBackend {
  const options = {
    ...{ connection: redis, prefix, maxStalledCount: LOSS_LIMIT, stalledInterval: stalledCheckMs },
    ...(name !== undefined && { name }),
    ...(lockMs === undefined ? { skipVersionCheck: true } : { lockDuration: lockMs }),
  };
  const backend = createRedisBackend(pool, options as Parameters<typeof createRedisBackend>[1], {
    withBlockingConnection: lockMs !== undefined,
  });
  // It repeats the errors of its connections; one that nobody listens to ends the process.
  backend.on('error', () => {});
  readOwnJobs(backend);
  return backend;
}
