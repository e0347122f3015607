import { errorMessage, Fault } from '../model/fault.ts';

/** The queue of a pool is full. HTTP says 429 with `Retry-After`. */
export class QueueFull extends Fault {
  /** Seconds until there is room again, at the pace of the last ten seconds. */
  readonly retry_after_seconds: number;

  constructor(pool: string, waiting: number, endedPerSecond: number) {
    // A tenth of the queue, so that the next try does not find the same one place taken.
    const seconds = endedPerSecond > 0 ? Math.ceil(waiting / 10 / endedPerSecond) : 5;
    const retry = Math.min(Math.max(seconds, 1), 60);
    super(
      'capacity',
      `The queue of the pool ${pool} is full with ${waiting} waiting tasks. Try again in ${retry} s, or give the pool more workers.`,
    );
    this.retry_after_seconds = retry;
  }
}

/** Does something with Redis; what fails is `unavailable`, with what was tried. */
export async function withQueueErrors<T>(doing: string, pool: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('unavailable', `Could not ${doing} (pool ${pool}): ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
