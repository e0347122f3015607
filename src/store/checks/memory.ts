/** How much memory Redis uses. */
import type { Link } from '../connect.ts';

/** `undefined` if Redis does not report a value. */
export interface RedisMemory {
  /** Bytes in use. */
  used: number | undefined;
  /** maxmemory in bytes; 0 means unlimited. */
  limit: number | undefined;
  /** maxmemory-policy. */
  policy: string | undefined;
  /** Keys that were deleted because the memory was full, since the start of Redis. */
  evicted: number | undefined;
}

/** Reads INFO; throws if Redis does not answer or forbids it. */
export async function readRedisMemory(redis: Link): Promise<RedisMemory> {
  const info = await redis.info();
  const line = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const number = (name: string) => {
    const text = line(name);
    return /^\d+$/.test(text ?? '') ? Number(text) : undefined;
  };
  return {
    used: number('used_memory'),
    limit: number('maxmemory'),
    policy: line('maxmemory_policy'),
    evicted: number('evicted_keys'),
  };
}
