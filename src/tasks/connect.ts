import { Redis, type RedisOptions } from 'ioredis';
import { SCRIPTS, type ScriptName } from './scripts/scripts.ts';

/** Milliseconds within which Redis must respond to clients that submit and read tasks. */
const COMMAND_TIMEOUT_MS = 5000;
/** A connection without a reply for this long is dead; longer than any blocked read. */
const SOCKET_TIMEOUT_MS = 15_000;

export type TaskLink = Redis & Record<ScriptName, (...args: (string | number)[]) => Promise<unknown>>;

const common = {
  lazyConnect: true,
  enableReadyCheck: true,
  scripts: SCRIPTS,
  connectTimeout: 5000,
  retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 2000) * (0.75 + Math.random() / 2),
} satisfies RedisOptions;

/**
 * For clients that submit and read tasks: a reply or an error within seconds. Every command may be executed
 * twice.
 */
export function connectClient(url: string): TaskLink {
  return new Redis(url, {
    ...common,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 2,
  }) as TaskLink;
}

/**
 * For workers: a result waits while Redis is away, because no other process has it. BullMQ requires the same.
 */
export function connectWorker(url: string): TaskLink {
  return new Redis(url, {
    ...common,
    maxRetriesPerRequest: null,
    socketTimeout: SOCKET_TIMEOUT_MS,
  }) as TaskLink;
}
