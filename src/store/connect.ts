import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions } from 'ioredis';
import { insistOnDatabase } from '../model/values/redis-url.ts';

/** Timeout of a Redis command in milliseconds; a blocking read has its own connection. */
export const COMMAND_TIMEOUT_MS = 5000;

const SCRIPTS = {
  acquire: 3,
  renew: 1,
  release: 1,
  readCommands: 1,
  claimCommand: 1,
  accept: 22,
  record: 8,
  purge: 13,
  restore: 7,
  reindex: 6,
  forget: 8,
  identify: 2,
  /** Takes a variable number of keys; their number is the first argument. */
  heartbeats: undefined,
  /** The same. */
  views: undefined,
  adopt: 2,
  hold: 2,
  claim: 2,
  unclaim: 1,
  tell: 3,
  sendInput: 3,
  settleWebhook: 2,
  poolAccept: 9,
  poolRecord: 5,
  poolAdd: 8,
  poolRetire: 6,
  poolPurge: 6,
} as const;
type ScriptName = keyof typeof SCRIPTS;
export type Link = Redis & Record<ScriptName, (...args: (string | number)[]) => Promise<unknown>>;

/** Functions shared by several scripts, prepended to each of these. */
const SHARED: Partial<Record<ScriptName, readonly string[]>> = {
  readCommands: ['text'],
  claimCommand: ['text'],
  accept: ['answers', 'names'],
  poolAccept: ['answers'],
  poolAdd: ['names'],
  purge: ['names'],
  restore: ['names'],
  reindex: ['names'],
};

const readScript = (path: string) => readFileSync(new URL(`./lua/${path}.lua`, import.meta.url), 'utf8');
const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const scripts = Object.fromEntries(
  Object.entries(SCRIPTS).map(([name, numberOfKeys]) => {
    const shared = (SHARED[name as ScriptName] ?? []).map((part) => readScript(`shared/${part}`));
    const lua = [...shared, readScript(kebab(name))].join('\n');
    return [name, { lua, numberOfKeys }];
  }),
);

const common = {
  lazyConnect: true,
  // Reconnects forever; no part of the manager gives up on Redis.
  retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 7), 2000),
  connectTimeout: 5000,
} satisfies RedisOptions;

/**
 * For commands that are answered at once. ioredis resends a command whose reply is lost, so everything sent
 * here must be safe to execute twice: scripts are fenced and remember what they have done.
 */
export function connectCommands(url: string): Link {
  const redis = new Redis(url, {
    ...common,
    scripts,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 2,
  });
  redis.on('connect', () => joinWrites(redis.stream));
  return insistOnDatabase(redis) as Link;
}

/** Sends what one turn of the loop writes with one system call, which costs more than a command itself. */
function joinWrites(stream: Redis['stream']): void {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  stream.write = (...args: unknown[]) => {
    if (stream.writableCorked === 0) {
      stream.cork();
      setImmediate(() => stream.uncork());
    }
    return write(...args);
  };
}

/** For a single question: it does not reconnect, and rejects what takes longer than `timeoutMs`. */
export const connectOnce = (url: string, timeoutMs: number): Redis =>
  new Redis(url, {
    lazyConnect: true,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    enableReadyCheck: false,
  });

/** For blocking reads: without a command timeout, which would lose entries that were delivered meanwhile. */
export function connectBlocking(url: string): Redis {
  return insistOnDatabase(new Redis(url, { ...common, maxRetriesPerRequest: null, socketTimeout: 15_000 }));
}
