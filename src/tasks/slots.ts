import { TASK_TIMEOUT_SECONDS } from '../model/task-limits.ts';
import { Attempt, type Outcome } from './attempt.ts';
import type { ConsumerSettings } from './consumer.ts';
import { deferred, type Held, toRunning } from './held.ts';
import type { Progress } from './progress.ts';

/** Tasks are fetched ahead only while attempts take less than this on average. */
const SHORT_MS = 5;
/** Stands for the average before the first attempt and after one that made others wait: no fetching ahead. */
const LONG_MS = 50;
/** Tasks fetched ahead for each slot. */
const AHEAD = 2;
/** A task fetched ahead returns to the queue after waiting this long. */
const PATIENCE_MS = 25;
/** After an abort, for a runner to end. */
export const END_GRACE_SECONDS = 30;

interface Parts {
  settings: ConsumerSettings;
  progress: Progress;
  /** An attempt is over, or is not to be made at all. */
  ended(held: Held, outcome: Outcome): void;
  /** A slot can be used again that was thought lost. */
  freed(): void;
  /** A task waited too long for a slot. */
  giveBack(held: Held): void;
}

/** The places where attempts are made: as many as the worker's concurrency, and a short queue before them. */
export class Slots {
  readonly #parts: Parts;
  /** Held without a slot, in the order of their take. */
  readonly #ahead: Held[] = [];
  #free: number;
  /** Slots whose task has failed already, while their runner still does not end. */
  #stuck = 0;
  #averageMs = LONG_MS;
  /** Of all attempts together. */
  seconds = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#free = parts.settings.concurrency;
  }

  /** Tasks that may be held: with those that wait, Redis and the runner work at the same time. */
  capacity(): number {
    const slots = this.#parts.settings.concurrency - this.#stuck;
    return this.#averageMs < SHORT_MS ? slots * (1 + AHEAD) : slots;
  }

  /** Begins a task, or lets it wait for a short while. */
  take(held: Held): void {
    if (this.#free > 0) return void this.#run(held);
    this.#ahead.push(held);
    held.patience = setTimeout(() => this.returnAhead(), PATIENCE_MS);
  }

  /** What waits for a slot goes back: others may have one. */
  returnAhead(): void {
    if (this.#ahead.length > 0) this.#averageMs = Math.max(this.#averageMs, LONG_MS);
    for (const held of this.#ahead.splice(0)) {
      clearTimeout(held.patience);
      this.#parts.giveBack(held);
    }
  }

  async #run(held: Held): Promise<void> {
    const { settings, progress, ended } = this.#parts;
    const { run, timeoutSeconds = TASK_TIMEOUT_SECONDS, endGraceSeconds = END_GRACE_SECONDS } = settings;
    if (held.lost) return ended(held, { kind: 'lost' });
    const failure = deferred(held);
    if (failure) return ended(held, { kind: 'failed', failure, retry: false });
    this.#free -= 1;
    const attempt = new Attempt();
    held.attempt = attempt;
    const began = performance.now();
    const outcome = attempt.run(
      toRunning(held, timeoutSeconds),
      run,
      progress.of(held),
      endGraceSeconds * 1000,
    );
    let over = false;
    void attempt.settled.then(() => {
      over = true;
      const ms = performance.now() - began;
      this.seconds += ms / 1000;
      this.#averageMs = this.#averageMs * 0.9 + ms * 0.1;
      this.#free += 1;
      this.#next();
    });
    const result = await outcome;
    if (!over) this.#stick(attempt);
    ended(held, result);
  }

  #next(): void {
    // What was cancelled while it waited takes no slot.
    while (this.#free > 0) {
      const held = this.#ahead.shift();
      if (!held) return;
      clearTimeout(held.patience);
      void this.#run(held);
    }
  }

  #stick(attempt: Attempt): void {
    this.#stuck += 1;
    void attempt.settled.then(() => {
      this.#stuck -= 1;
      this.#parts.freed();
    });
  }
}
