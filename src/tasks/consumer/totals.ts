import type { TaskResult } from '../results.ts';
import { type ActiveTask, getAttempt, getDeferredFailure, getTaskId } from './active-task.ts';
import type { AttemptOutcome } from './attempt.ts';
import type { ConsumerTotals } from './consumer.ts';
import type { CompletionResult } from './result-writer.ts';

type Report = (message: string, fields: Record<string, unknown>) => void;

/** Counts the results of a consumer's tasks, and logs the ones that an operator must know. */
export class Totals {
  readonly #report: Report;
  readonly #results: Record<TaskResult, number> = {
    completed: 0,
    failed: 0,
    timeout: 0,
    cancelled: 0,
    lost: 0,
    unreadable: 0,
  };
  #retried = 0;
  #fenced = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  read(): Omit<ConsumerTotals, 'seconds'> {
    const { completed, ...others } = this.#results;
    const failed = Object.values(others).reduce((sum, count) => sum + count, 0);
    return { completed, failed, retried: this.#retried, fenced: this.#fenced, results: this.#results };
  }

  count(activeTask: ActiveTask, settled: CompletionResult, outcome: AttemptOutcome): void {
    const task = { task_id: getTaskId(activeTask), attempt: getAttempt(activeTask) };
    switch (settled) {
      case 'completed':
        this.#results.completed += 1;
        return;
      case 'failed':
        this.#results[toTaskResult(activeTask, outcome)] += 1;
        if (activeTask.unreadable)
          this.#report('put an unreadable task aside', { ...task, reason: activeTask.unreadable.message });
        return;
      case 'retried':
        this.#retried += 1;
        return;
      case 'fenced':
        this.#fenced += 1;
        this.#report('result refused; another worker has the task', task);
        return;
      case 'returned':
    }
  }

  /** Counts and logs tasks that BullMQ could not read and that were removed from the queue. */
  quarantined(taskIds: readonly string[]): void {
    for (const task_id of taskIds) {
      this.#results.unreadable += 1;
      this.#report('put an unreadable task aside', { task_id });
    }
  }
}

const RESULTS: Record<string, TaskResult> = {
  Timeout: 'timeout',
  Cancelled: 'cancelled',
  WorkerLost: 'lost',
  Unreadable: 'unreadable',
};

function toTaskResult(activeTask: ActiveTask, outcome: AttemptOutcome): TaskResult {
  // An attempt that ends with its worker ends the task only if `max_losses` is 0.
  if (outcome.kind === 'ending') return 'lost';
  const type = outcome.kind === 'failed' && (getDeferredFailure(activeTask) ?? outcome.failure).type;
  return (type && RESULTS[type]) || 'failed';
}
