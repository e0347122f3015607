import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';

/**
 * Receives the bodies' signals: `signal(id)` says to look at that worker, `signal(undefined)` that signals may
 * have been missed while the connection was away. They are hints: nothing depends on one of them arriving.
 */
export async function watchSignals(
  redis: Redis,
  keys: Keys,
  signal: (workerId: string | undefined) => void,
): Promise<void> {
  const [before, after] = keys.signal('*').split('*') as [string, string];
  redis.on('pmessage', (_pattern: string, channel: string) => {
    signal(channel.slice(before.length, channel.length - after.length));
  });
  redis.on('ready', () => signal(undefined));
  await redis.psubscribe(keys.signal('*'));
}
