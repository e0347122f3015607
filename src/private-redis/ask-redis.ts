import type { Redis } from 'ioredis';
import { connectOnce } from '../store/connect.ts';
import { type PrivateRedis, urlAt } from './redis-config.ts';

/** A server that is loading its data, or that hangs, does not answer within this time in milliseconds. */
const ANSWER_MS = 2000;

/** What the server answers; `undefined` if it does not. */
export async function askRedis<T>(
  plan: PrivateRedis,
  question: (redis: Redis) => Promise<T>,
): Promise<T | undefined> {
  const redis = connectOnce(urlAt(plan), ANSWER_MS);
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await question(redis);
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}
