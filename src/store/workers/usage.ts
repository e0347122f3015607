import type { UsageReading } from '../../model/index.ts';
import type { Link } from '../connect.ts';
import { parse } from '../parse.ts';
import { execAll } from '../reply.ts';

/** Stores the usage of all bodies at the last check; deletes the values of other bodies. */
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

/** The usage of these bodies (all without IDs) at the last check; unchecked bodies are missing. */
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
