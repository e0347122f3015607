/** How many workers of the cell live or are to live, so that MAX_WORKERS_TOTAL holds for everybody who makes one. */
import { type Decision, hasEnded, type Observation, type Summary } from '../model/index.ts';

export class Census {
  readonly #living = new Set<string>();
  readonly #most: number;

  /** `most` is MAX_WORKERS_TOTAL. */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** Takes over what the store says; commands are read after it. */
  begin(workers: readonly Summary[]): void {
    for (const { worker_id, status, desired, external } of workers)
      if (!external && desired !== 'deleted' && !hasEnded(status)) this.#living.add(worker_id);
  }

  /** A worker is to run from now on. */
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

  /** Workers that may be made beside those that live. */
  get room(): number {
    return Math.max(0, this.#most - this.#living.size);
  }

  /** Why no further worker may be made; `undefined` if one may. */
  get full(): string | undefined {
    if (this.room > 0) return undefined;
    return `The cell has ${this.#living.size} workers, and MAX_WORKERS_TOTAL is ${this.#most}. Delete some, or increase the limit.`;
  }
}
