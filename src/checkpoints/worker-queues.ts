import { Fault } from '../model/index.ts';

/** Checkpoints of one worker that are being taken or wait. */
const MOST_WAITING = 8;

/** Takes the checkpoints of each worker one after the other. */
export class WorkerQueues {
  /** The end of the last checkpoint of each worker, and how many wait for theirs. */
  readonly #queues = new Map<string, { last: Promise<unknown>; waiting: number }>();

  /** Runs a job after those before it, also after ones that failed. Rejects with `capacity` if too many wait. */
  async run<T>(workerId: string, job: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(workerId) ?? { last: Promise.resolve(), waiting: 0 };
    if (queue.waiting >= MOST_WAITING)
      throw new Fault(
        'capacity',
        `${queue.waiting} checkpoints of worker ${workerId} already wait. Try again later.`,
      );
    this.#queues.set(workerId, queue);
    queue.waiting += 1;
    const taking = queue.last.catch(() => {}).then(job);
    queue.last = taking;
    try {
      return await taking;
    } finally {
      queue.waiting -= 1;
      if (queue.waiting === 0) this.#queues.delete(workerId);
    }
  }
}
