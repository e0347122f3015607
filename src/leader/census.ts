/**
 * Counts the workers of the cell that run or should run, so that MAX_WORKERS_TOTAL applies to every way of creating
 * one.
 */
import { type Decision, hasEnded, type Observation, type Summary } from '../model/index.ts';

export class Census {
  readonly #living = new Set<string>();
  readonly #most: number;

  /** `most` is MAX_WORKERS_TOTAL. */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** Loads the state of the store; commands are read afterwards. */
  begin(workers: readonly Summary[]): void {
    for (const { worker_id, status, desired, external } of workers)
      if (!external && desired !== 'deleted' && !hasEnded(status)) this.#living.add(worker_id);
  }

  /** A worker should run from now on. */
  add(id: string): void {
    this.#living.add(id);
  }

  note({ worker_id }: Observation, { status }: Decision): void {
    if (hasEnded(status.status)) this.#living.delete(worker_id);
    else this.#living.add(worker_id);
  }

  forget(id: string): void {
    this.#living.delete(id);
  }

  /** Number of workers that can still be created. */
  get room(): number {
    return Math.max(0, this.#most - this.#living.size);
  }

  /** Why no worker can be created besides those being created; `undefined` if one can. */
  full(beingCreated = 0): string | undefined {
    if (this.room > beingCreated) return undefined;
    return `The cell has ${this.#living.size} workers, and MAX_WORKERS_TOTAL is ${this.#most}. Delete some, or increase the limit.`;
  }
}
