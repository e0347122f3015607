import type { UsageReading } from '../model/index.ts';
import type { Link } from './connect.ts';
import { parse } from './parse.ts';
import { execAll } from './reply.ts';

/** Writes what all bodies used at the last check; the figures of others are deleted. */
export async function saveUsage(
  redis: Link,
  key: string,
  usage: Record<string, UsageReading>,
  ttlMs: number,
): Promise<void> {
  const fields = Object.entries(usage).flatMap(([id, reading]) => [id, JSON.stringify(reading)]);
  const write = redis.multi().del(key);
  if (fields.length > 0) write.hset(key, ...fields).pexpire(key, ttlMs);
  await execAll(write);
}

/** What these bodies used at the last check, of all of them without ids; unchecked bodies are missing. */
export async function readUsage(
  redis: Link,
  key: string,
  ids: string[] | undefined,
): Promise<Record<string, UsageReading>> {
  if (ids?.length === 0) return {};
  const texts = ids
    ? (await redis.hmget(key, ...ids)).map((text, at) => [ids[at], text] as const)
    : undefined;
  const found = texts ?? Object.entries(await redis.hgetall(key));
  return Object.fromEntries(
    found.flatMap(([id, text]) => {
      const read = parse(text) as UsageReading | undefined;
      return id && read ? [[id, read]] : [];
    }),
  );
}
