/**
 * Decides which workers may start a body now. A booting body uses a core and memory, so a thousand at once would starve
 * each other, the running workers and the manager: starts are limited by cores and by measured memory, and the others
 * wait in a queue, the oldest worker first.
 *
 * Invariant: a slot is given once and released when the worker is ready, has failed or takes too long, so that no
 * worker blocks the queue for good; a worker whose start failed is moved behind those that have not had a slot. Kept in
 * memory only: a new term counts booting bodies before it lets others start.
 */
import type { Decision, Observation, RuntimeName, WorkerRecord } from '../../model/index.ts';
import { parseInstant } from '../../model/index.ts';
import { admit, formatQueuedMessage, type HoldReason, type MemoryObservation } from './rules.ts';
import { type QueuePosition, StartQueue } from './start-queue.ts';

/**
 * A slot is released after this time at the latest: a body that boots for longer than a minute waits for something and
 * uses no core.
 */
const TURN_MS = 60_000;
/** Maximum delay of starts if a new term cannot reconcile all workers. */
const OPEN_MS = 3000;
/** Workers whose new place is reported at each tick. */
const REPORTED_AT_ONCE = 50;

export interface AdmissionOptions {
  /** Limit of bodies of that runtime that boot at the same time. */
  slotsOf: (runtime: RuntimeName) => number;
  /** The memory that bodies of that runtime share; `undefined` if it is unknown. */
  memoryOf: (runtime: RuntimeName) => MemoryObservation | undefined;
  /** A monotonic clock, in milliseconds. */
  now: () => number;
  /** Milliseconds since 1970. */
  wallClock: () => number;
  /** Something changed for this worker in the queue; it must be reconciled. */
  wake: (id: string) => void;
}

/** The part that an observation of a worker needs. */
export interface StartAdmission {
  /** Why this worker must wait, as a sentence for its status; `undefined` if it may start. */
  request: (record: WorkerRecord) => string | undefined;
}

/** Phases in which a worker requests a slot: it has no body, and is about to get one. */
const REQUESTING: ReadonlySet<string> = new Set(['', 'creating', 'building', 'queued']);
/** Phases of STARTING in which a worker keeps its slot. */
const STARTING: ReadonlySet<string> = new Set(['creating', 'booting']);

export class Admission implements StartAdmission {
  readonly #options: AdmissionOptions;
  readonly #queues = new Map<RuntimeName, StartQueue>();
  /** Workers with a slot, and since when. */
  readonly #turns = new Map<string, { runtime: RuntimeName; since: number }>();
  /** When the slot of a worker was released without success; its position is counted from then. */
  readonly #failed = new Map<string, number>();
  readonly #began: number;
  #open = false;
  #closed = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#began = options.now();
  }

  /** All workers have been reconciled once, so it is known which bodies boot. */
  open(): void {
    this.#open = true;
    this.tick();
  }

  /** The manager shuts down: no worker starts any more. */
  close(): void {
    this.#closed = true;
  }

  request({ id, desired, status }: WorkerRecord): string | undefined {
    if (!REQUESTING.has(status?.phase ?? '')) return undefined;
    if (this.#closed) return 'The manager is shutting down; the next one starts this worker.';
    const { runtime } = desired.spec;
    const turn = this.#turns.get(id);
    if (turn && this.#isFresh(turn.since)) return undefined;
    if (turn) this.failed(id);
    const queue = this.#queue(runtime);
    if (!queue.has(id)) {
      const created = parseInstant(desired.created_at) ?? 0;
      queue.add(id, Math.max(created, this.#failed.get(id) ?? 0));
    }
    const obstacle = this.#fill(runtime, id);
    return this.#turns.has(id) ? undefined : formatQueuedMessage(queue.positionOf(id), obstacle);
  }

  /** Records a decision: whether the worker keeps its slot or its position. */
  note(observation: Observation, { status }: Decision): void {
    const id = observation.worker_id;
    const { runtime } = status;
    const starts = status.status === 'STARTING' && STARTING.has(status.phase);
    if (status.phase !== 'queued') this.#queues.get(runtime)?.delete(id);
    if (starts) {
      // A body that already boots, such as one of the previous term, takes a slot without a request.
      const boots = observation.actual.kind === 'present';
      if (boots && !this.#turns.has(id)) this.#turns.set(id, { runtime, since: this.#options.now() });
      return;
    }
    if (status.status === 'RUNNING') this.#failed.delete(id);
    else if (this.#turns.has(id) && status.phase !== 'queued')
      this.#failed.set(id, this.#options.wallClock());
    if (status.phase !== 'queued' && this.#turns.delete(id)) this.#fill(runtime);
  }

  /** Its start failed temporarily: the next attempt needs another slot. */
  failed(id: string): void {
    const turn = this.#turns.get(id);
    if (!turn) return;
    this.#turns.delete(id);
    this.#failed.set(id, this.#options.wallClock());
    this.#fill(turn.runtime);
  }

  /** The worker does not exist any more. */
  forget(id: string): void {
    this.#failed.delete(id);
    for (const queue of this.#queues.values()) queue.delete(id);
    const turn = this.#turns.get(id);
    if (turn && this.#turns.delete(id)) this.#fill(turn.runtime);
  }

  /** Time has passed: memory may be free again, a slot may have expired, and positions have changed. */
  tick(): void {
    for (const [runtime, queue] of this.#queues) {
      this.#fill(runtime);
      for (const id of queue.moved(REPORTED_AT_ONCE)) this.#options.wake(id);
    }
  }

  /** Workers that wait, by runtime, for the metrics. */
  waiting(): [RuntimeName, number][] {
    return [...this.#queues].map(([runtime, queue]) => [runtime, queue.length]);
  }

  /**
   * Gives slots to the first in the queue; returns what blocks the others. `asking` needs no wake-up, because it is
   * being reconciled.
   */
  #fill(runtime: RuntimeName, asking?: string): HoldReason {
    if (!this.#open && this.#options.now() - this.#began < OPEN_MS) return { why: 'recovering' };
    const queue = this.#queue(runtime);
    const { slotsOf, memoryOf, now, wake } = this.#options;
    const booting = [...this.#turns.values()].filter(({ since }) => this.#isFresh(since));
    const starting = booting.filter((turn) => turn.runtime === runtime).length;
    const memory = queue.length > 0 ? memoryOf(runtime) : undefined;
    const { count, reason } = admit({ starting, slots: slotsOf(runtime), booting: booting.length, memory });
    for (const id of queue.take(count)) {
      this.#turns.set(id, { runtime, since: now() });
      if (id !== asking) wake(id);
    }
    return reason;
  }

  #isFresh(since: number): boolean {
    return this.#options.now() - since < TURN_MS;
  }

  #queue(runtime: RuntimeName): StartQueue {
    const queue = this.#queues.get(runtime) ?? new StartQueue();
    this.#queues.set(runtime, queue);
    return queue;
  }
}

export type { QueuePosition };
