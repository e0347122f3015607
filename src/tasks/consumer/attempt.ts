import { TaskError, type TaskFailure } from '../../model/task/task-error.ts';
import { errorMessage } from '../../model/values/fault.ts';
import { setLongTimer } from '../../queue/long-timer.ts';
import { type RunningTask, type RunTask, TaskAbort } from './consumer.ts';

/**
 * The result of an attempt. `lost` does not count; `ending` returns the task to the queue for another worker.
 */
export type AttemptOutcome =
  | { kind: 'done'; value: unknown }
  | { kind: 'failed'; failure: TaskFailure; retry: boolean }
  | { kind: 'lost' | 'ending' };

/** One attempt at a task, from its start until its runner has ended. */
export class Attempt {
  readonly startedAt = Date.now();
  readonly #controller = new AbortController();
  #abandon: () => void = () => {};
  #over = false;
  /** Settles when the runner has ended, however late; until then its slot is occupied. */
  settled: Promise<void> = Promise.resolve();

  /** Aborts the attempt; only the first reason counts, and none counts after its end. */
  abort(kind: TaskAbort['kind'], message: string): void {
    if (this.#over || this.#controller.signal.aborted) return;
    this.#controller.abort(new TaskAbort(kind, message));
    this.#abandon();
  }

  /** Never rejects. After an abort it takes `graceMs` at most, whatever the runner does. */
  async run(
    task: RunningTask,
    run: RunTask,
    progress: (value: unknown) => void,
    graceMs: number,
  ): Promise<AttemptOutcome> {
    const { signal } = this.#controller;
    let clock: NodeJS.Timeout | undefined;
    const abandoned = new Promise<AttemptOutcome>((resolve) => {
      this.#abandon = () => {
        clock = setTimeout(() => resolve(this.#after(signal.reason)), graceMs);
      };
    });
    const limit = setLongTimer(() => {
      const seconds = task.timeout_seconds;
      this.abort('timeout', `It exceeded its timeout of ${seconds} s and was ended.`);
    }, task.timeout_seconds * 1000);
    const ended = start(run, task, { signal, progress }).then(
      (value): AttemptOutcome => (this.#lost() ? { kind: 'lost' } : { kind: 'done', value }),
      (error): AttemptOutcome => (signal.aborted ? this.#after(signal.reason) : toFailed(error)),
    );
    this.settled = ended.then(() => {});
    const outcome = await Promise.race([ended, abandoned]);
    this.#over = true;
    limit.cancel();
    clearTimeout(clock);
    return outcome;
  }

  #lost(): boolean {
    const { reason } = this.#controller.signal;
    return reason instanceof TaskAbort && reason.kind === 'lost';
  }

  #after({ kind, message }: TaskAbort): AttemptOutcome {
    if (kind === 'lost' || kind === 'ending') return { kind };
    const type = kind === 'timeout' ? 'Timeout' : 'Cancelled';
    return { kind: 'failed', failure: { type, message }, retry: kind === 'timeout' };
  }
}

/** A runner that throws before it returns a promise has failed as well. */
async function start(run: RunTask, ...args: Parameters<RunTask>): Promise<unknown> {
  return run(...args);
}

function toFailed(error: unknown): AttemptOutcome {
  if (error instanceof TaskError) {
    const { type, message, traceback, retry } = error;
    return { kind: 'failed', failure: { type, message, ...(traceback && { traceback }) }, retry };
  }
  const type = error instanceof Error ? error.name : 'Error';
  return { kind: 'failed', failure: { type, message: errorMessage(error) }, retry: true };
}
