/** A cell on the shared Redis for one test: its store, its stream of commands, and their content. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { inject, onTestFinished } from 'vitest';
import {
  CommandStream,
  connectBlocking,
  connectCommands,
  type Link,
  PoolStore,
  redisLeaseStore,
  Store,
} from '../../src/store/index.ts';

export interface Cell {
  name: string;
  redis: Link;
  blocking: Redis;
  store: Store;
  pools: PoolStore;
  stream: CommandStream;
  /** Creates another leader, even if there is one; returns its epoch. */
  acquire(): Promise<number>;
  /** Puts a command on the stream; text is sent unchanged. */
  push(command: unknown): Promise<string>;
  /** The field `data` of a stream's entries. */
  read(key: string): Promise<unknown[]>;
  answers(): Promise<Record<string, unknown>[]>;
}

export function openCell(url = inject('redisUrl')): Cell {
  const name = `t-${randomUUID().slice(0, 8)}`;
  const redis = connectCommands(url);
  const blocking = connectBlocking(url);
  for (const link of [redis, blocking]) link.on('error', () => undefined);
  const store = new Store(redis, name);
  const { keys } = store;
  const lease = redisLeaseStore(redis, keys);
  onTestFinished(async () => {
    for await (const found of redis.scanStream({ match: `${name}:*`, count: 1000 }))
      if (found.length > 0) await redis.del(found);
    redis.disconnect();
    blocking.disconnect();
  });
  const read = async (key: string) =>
    (await redis.xrange(key, '-', '+')).map(([, fields]) =>
      JSON.parse(fields[fields.indexOf('data') + 1] ?? 'null'),
    );
  return {
    name,
    redis,
    blocking,
    store,
    read,
    pools: new PoolStore(redis, name),
    stream: new CommandStream(redis, blocking, keys),
    acquire: async () => {
      await redis.del(keys.leader);
      return (await lease.acquire(randomUUID(), 60_000)) ?? 0;
    },
    push: async (command) => {
      const text = typeof command === 'string' ? command : JSON.stringify(command);
      return (await redis.xadd(keys.commands, '*', 'data', text)) ?? '';
    },
    answers: () => read(keys.responses) as Promise<Record<string, unknown>[]>,
  };
}
