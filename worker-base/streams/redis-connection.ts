import { Redis, type RedisOptions } from 'ioredis';
import { insistOnDatabase } from '../../src/model/values/redis-url.ts';
import type { Log } from '../log.ts';

/** Without a reply within this time, Redis counts as away and output goes to the spool. */
const COMMAND_TIMEOUT_MS = 2000;
/**
 * A blocked read is answered within its BLOCK of 5 s; three times that without a reply means a dead
 * connection.
 */
const SOCKET_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 5000;
const RECONNECT_MAX_MS = 2000;

/**
 * Both clients reconnect forever. Neither queues or resends automatically: a command that was running when
 * the connection was lost fails immediately, because only its sender knows whether it may be sent twice.
 */
const common = {
  enableReadyCheck: false,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: CONNECT_TIMEOUT_MS,
  // Jitter, so that a thousand bodies do not reconnect in the same millisecond.
  retryStrategy: (tries: number) =>
    Math.min(50 * 2 ** Math.min(tries - 1, 10), RECONNECT_MAX_MS) * (0.75 + Math.random() / 2),
} satisfies RedisOptions;

/** The client for commands that do not block. */
export function openCommandConnection(url: string, log: Log): Redis {
  return watch(new Redis(url, { ...common, commandTimeout: COMMAND_TIMEOUT_MS }), 'commands', log);
}

/** The client for blocked reads, with its own connection and without command timeouts. */
export function openBlockingConnection(url: string, log: Log): Redis {
  return watch(new Redis(url, { ...common, socketTimeout: SOCKET_TIMEOUT_MS }), 'input', log);
}

/** Resolves once commands can be sent. */
export function whenReady(redis: Redis): Promise<void> {
  if (redis.status === 'ready') return Promise.resolve();
  return new Promise((resolve) => redis.once('ready', () => resolve()));
}

/** Logs once that Redis is away and once that it is back, regardless of the number of attempts. */
function watch(redis: Redis, connection: string, log: Log): Redis {
  insistOnDatabase(redis);
  let logged = '';
  redis.on('error', (error: Error & { code?: string }) => {
    const why = error.code ?? error.message;
    if (logged === '') log.warn('Redis connection lost; reconnecting', { connection, error: why });
    logged ||= why;
  });
  redis.on('ready', () => {
    if (logged !== '') log.info('Redis connection restored', { connection });
    logged = '';
  });
  return redis;
}
