import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';

/**
 * Receives events from the bodies: `signal(id)` means that the worker needs a reconcile, `signal(undefined)`
 * that events may have been missed while the connection was down. Correctness does not depend on any event.
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
