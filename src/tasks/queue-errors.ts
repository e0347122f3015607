import { errorMessage, Fault } from '../model/values/fault.ts';
import { toRedisFault } from '../model/values/redis-outage.ts';

/** The queue of a pool is full. Over HTTP this is 429 with `Retry-After`. */
export class QueueFull extends Fault {
  /** Seconds until there is room again, at the rate of the last ten seconds. */
  readonly retry_after_seconds: number;

  constructor(pool: string, waiting: number, endedPerSecond: number) {
    // A tenth of the queue, so that retrying clients do not compete for a single place.
    const seconds = endedPerSecond > 0 ? Math.ceil(waiting / 10 / endedPerSecond) : 5;
    const retry = Math.min(Math.max(seconds, 1), 60);
    super(
      'capacity',
      `The queue of the pool ${pool} is full with ${waiting} waiting tasks. Try again in ${retry} s, or give the pool more workers.`,
    );
    this.retry_after_seconds = retry;
  }
}

/** Runs an operation on Redis; an error becomes `unavailable` with the name of the operation. */
export async function withQueueErrors<T>(doing: string, pool: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(
      'unavailable',
      `Could not ${doing} (pool ${pool}): ${errorMessage(toRedisFault(error) ?? error)}`,
      {
        cause: error,
      },
    );
  }
}
