import type { Redis } from 'ioredis';
import type { Keys } from '../keys.ts';

/** The name in the channel of a lease that was released, where a signal of a body has its worker's ID. */
export const LEADER_SIGNAL = 'leader';

/**
 * Receives events from the bodies: `signal(id)` means that the worker needs a reconcile, `signal(undefined)`
 * that events may have been missed while the connection was down, and `leaseReleased` that a manager has given its
 * lease back. Correctness does not depend on any event.
 */
export async function watchSignals(
  redis: Redis,
  keys: Keys,
  signal: (workerId: string | undefined) => void,
  leaseReleased: () => void = () => {},
): Promise<void> {
  const [before, after] = keys.signal('*').split('*') as [string, string];
  redis.on('pmessage', (_pattern: string, channel: string) => {
    const name = channel.slice(before.length, channel.length - after.length);
    if (name === LEADER_SIGNAL) leaseReleased();
    else signal(name);
  });
  redis.on('ready', () => signal(undefined));
  await redis.psubscribe(keys.signal('*'));
}
