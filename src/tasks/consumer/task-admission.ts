import { TASK_TIMEOUT_SECONDS } from '../../model/task/task-limits.ts';
import { type ActiveTask, getDeferredFailure, toRunning } from './active-task.ts';
import { Attempt, type AttemptOutcome } from './attempt.ts';
import type { ConsumerSettings } from './consumer.ts';
import type { ProgressReporter } from './progress-reporter.ts';

/** Tasks are fetched ahead only while attempts take less than this on average. */
const SHORT_MS = 5;
/** The average before the first attempt, and after one that made others wait: no fetching ahead. */
const LONG_MS = 50;
/** Tasks fetched ahead for each slot. */
const AHEAD = 2;
/** A task fetched ahead returns to the queue after waiting this long. */
const PATIENCE_MS = 25;
/** Time for a runner to end after an abort. */
export const END_GRACE_SECONDS = 30;

interface TaskAdmissionDeps {
  settings: ConsumerSettings;
  progress: ProgressReporter;
  /** An attempt is over, or will not be made at all. */
  ended(activeTask: ActiveTask, outcome: AttemptOutcome): void;
  /** A slot that was considered lost can be used again. */
  freed(): void;
  /** A task waited too long for a slot. */
  requeue(activeTask: ActiveTask): void;
}

/** The slots for attempts, as many as the worker's concurrency, with a short queue before them. */
export class TaskAdmission {
  readonly #deps: TaskAdmissionDeps;
  /** Tasks held without a slot, in the order in which they were taken. */
  readonly #ahead: ActiveTask[] = [];
  #free: number;
  /** Slots whose task has failed already, but whose runner has not ended. */
  #stuck = 0;
  #averageMs = LONG_MS;
  /** Total of all attempts. */
  seconds = 0;

  constructor(deps: TaskAdmissionDeps) {
    this.#deps = deps;
    this.#free = deps.settings.concurrency;
  }

  /** Number of tasks that may be held: with waiting ones, Redis and the runner work at the same time. */
  capacity(): number {
    const slots = this.#deps.settings.concurrency - this.#stuck;
    return this.#averageMs < SHORT_MS ? slots * (1 + AHEAD) : slots;
  }

  /** Starts a task, or lets it wait for a short time. */
  take(activeTask: ActiveTask): void {
    if (this.#free > 0) return void this.#run(activeTask);
    this.#ahead.push(activeTask);
    activeTask.patience = setTimeout(() => this.returnAhead(), PATIENCE_MS);
  }

  /** Returns tasks that wait for a slot, because other workers may have one. */
  returnAhead(): void {
    if (this.#ahead.length > 0) this.#averageMs = Math.max(this.#averageMs, LONG_MS);
    for (const activeTask of this.#ahead.splice(0)) {
      clearTimeout(activeTask.patience);
      this.#deps.requeue(activeTask);
    }
  }

  async #run(activeTask: ActiveTask): Promise<void> {
    const { settings, progress, ended } = this.#deps;
    const { run, timeoutSeconds = TASK_TIMEOUT_SECONDS, endGraceSeconds = END_GRACE_SECONDS } = settings;
    if (activeTask.lost) return ended(activeTask, { kind: 'lost' });
    const failure = getDeferredFailure(activeTask);
    if (failure) return ended(activeTask, { kind: 'failed', failure, retry: false });
    this.#free -= 1;
    const attempt = new Attempt();
    activeTask.attempt = attempt;
    const began = performance.now();
    const outcome = attempt.run(
      toRunning(activeTask, timeoutSeconds),
      run,
      progress.reporterFor(activeTask),
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
    ended(activeTask, result);
  }

  #next(): void {
    // A task that was cancelled while it waited takes no slot.
    while (this.#free > 0) {
      const activeTask = this.#ahead.shift();
      if (!activeTask) return;
      clearTimeout(activeTask.patience);
      void this.#run(activeTask);
    }
  }

  #stick(attempt: Attempt): void {
    this.#stuck += 1;
    void attempt.settled.then(() => {
      this.#stuck -= 1;
      this.#deps.freed();
    });
  }
}
