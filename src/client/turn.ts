import { ManagerError, TurnFailed } from './errors.ts';
import { PendingHandle } from './pending.ts';
import type { WorkerOutput } from './types.ts';

/** Types of the entries that end a turn. */
const ENDS = new Set(['turn_completed', 'turn_failed', 'completed']);

export interface TurnSource {
  workerId: string;
  requestId: string;
  /** The worker's output since before the prompt was sent. */
  read: (signal: AbortSignal | undefined) => AsyncIterable<WorkerOutput>;
  /** Rejects if the worker has no turns. */
  checkTurns: () => Promise<void>;
  interrupt: () => Promise<void>;
}

/**
 * The agent's work on one prompt. Iterating yields the entries of the turn up to its end; `result` waits for the end.
 * Both may be used, in any order, because the entries are on the worker's stream.
 */
export class TurnHandle implements AsyncIterable<WorkerOutput> {
  /** The `request_id` of the prompt and of its entries. */
  readonly requestId: string;
  readonly #source: TurnSource;
  #end: WorkerOutput | undefined;

  constructor(source: TurnSource) {
    this.requestId = source.requestId;
    this.#source = source;
  }

  [Symbol.asyncIterator](): AsyncGenerator<WorkerOutput> {
    return this.entries();
  }

  /** As iterating the turn, until the signal fires. */
  async *entries(options: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<WorkerOutput> {
    for await (const entry of this.#source.read(options.signal)) {
      if (entry.request_id !== this.requestId) continue;
      const ends = ENDS.has(entry.type);
      if (ends) this.#end = entry;
      yield entry;
      if (ends) return;
    }
    const { workerId } = this.#source;
    const what = `The worker ${workerId} ended before the turn ${this.requestId} did; its status has the reason.`;
    throw new ManagerError('conflict', what, { workerId, status: 409 });
  }

  /**
   * Waits for the end of the turn and returns its last entry: `content` is the answer. Throws `TurnFailed` if the agent failed, and a `ManagerError` with the code
   * `unsupported` if the worker's program has no turns, because this would never return.
   */
  async result(options: { signal?: AbortSignal | undefined } = {}): Promise<WorkerOutput> {
    if (!this.#end) await this.#source.checkTurns();
    if (!this.#end) for await (const entry of this.entries(options)) this.#end = entry;
    const entry = this.#end as WorkerOutput;
    if (entry.type === 'turn_failed') throw new TurnFailed(entry);
    return entry;
  }

  /** Asks the agent to end its current turn soon; the turn then fails with the reason `interrupted`. */
  interrupt(): Promise<void> {
    return this.#source.interrupt();
  }
}

/** A prompt that is being sent: its turn, and with `await` the turn once the manager has stored the prompt. */
export class PendingTurn extends PendingHandle<TurnHandle> implements AsyncIterable<WorkerOutput> {
  async *[Symbol.asyncIterator](): AsyncGenerator<WorkerOutput> {
    yield* await this.handle;
  }

  /** See `TurnHandle.result`. */
  async result(options: { signal?: AbortSignal | undefined } = {}): Promise<WorkerOutput> {
    return (await this.handle).result(options);
  }
}
