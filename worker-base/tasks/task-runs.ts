/**
 * Runs tasks in a worker's slots: a task from the queue becomes a call of a handler, with the worker's own
 * time limit.
 */

import { TaskError } from '../../src/model/task/task-error.ts';
import { timeoutSignal } from '../../src/queue/long-timer.ts';
import type { RunningTask, RunTask, TaskControls } from '../../src/tasks/consumer/consumer.ts';
import { DURATION_BUCKETS, type DurationTotals } from '../../src/tasks/durations.ts';
import type { CallHooks, TaskCall } from './handlers/handler-slot.ts';
import type { TaskLog } from './task-log.ts';

/** Durations of tasks, or of their waits, as a Prometheus histogram. */
export class Durations {
  readonly #counts = DURATION_BUCKETS.map(() => 0);
  #taken: DurationTotals = { count: 0, sum: 0, buckets: [] };
  count = 0;
  sum = 0;

  add(seconds: number): void {
    this.count += 1;
    this.sum += seconds;
    for (const [at, end] of DURATION_BUCKETS.entries())
      if (seconds <= end) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** Measures running tasks. */
  async measure<T>(run: Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await run;
    } finally {
      this.add((performance.now() - began) / 1000);
    }
  }

  /** Measures how long a task has waited for its first start. */
  addWait({ attempt, queued_at }: Pick<RunningTask, 'attempt' | 'queued_at'>): void {
    const waited = Date.now() - Date.parse(queued_at);
    if (attempt === 1 && Number.isFinite(waited)) this.add(Math.max(0, waited) / 1000);
  }

  /** Durations since the last call; undefined if there are none. */
  take(): DurationTotals | undefined {
    if (this.count === this.#taken.count) return undefined;
    const { count, sum, buckets } = this.#taken;
    const now = { count: this.count, sum: this.sum, buckets: [...this.#counts] };
    this.#taken = now;
    return {
      count: now.count - count,
      sum: now.sum - sum,
      buckets: now.buckets.map((value, at) => value - (buckets[at] ?? 0)),
    };
  }

  /** Upper bound -> number of tasks that took no longer. */
  get buckets(): [string, number][] {
    return [
      ...DURATION_BUCKETS.map((end, at): [string, number] => [String(end), this.#counts[at] ?? 0]),
      ['+Inf', this.count],
    ];
  }
}

export interface RunOptions {
  call: (call: TaskCall, hooks: CallHooks) => Promise<unknown>;
  /** Whether this worker runs commands. */
  commands: boolean;
  /** `max_job_time_seconds`: no task runs longer, regardless of its own timeout. */
  maxSeconds: number | undefined;
  durations: Durations;
  waits: Durations;
  log: Pick<TaskLog, 'around'>;
  /** A task has started or ended. */
  changed: () => void;
}

/** Creates the function that the consumer calls for each attempt. */
export function createRunTask(options: RunOptions): RunTask {
  const { call, commands, maxSeconds, durations, waits, log, changed } = options;
  const attempt = async (task: RunningTask, controls: TaskControls) => {
    const bound = maxSeconds === undefined ? undefined : timeoutSignal(maxSeconds * 1000);
    try {
      return await durations.measure(call(toTaskCall(task, commands), toCallHooks(controls, bound?.signal)));
    } catch (error) {
      if (!bound?.signal.aborted || controls.signal.aborted) throw error;
      const message = `The task exceeded max_job_time_seconds, ${maxSeconds} s, and was ended.`;
      throw new TaskError({ type: 'Timeout', message });
    } finally {
      bound?.cancel();
    }
  };
  return async (task, controls) => {
    waits.addWait(task);
    changed();
    try {
      return await log.around(task, controls.signal, () => attempt(task, controls));
    } finally {
      changed();
    }
  };
}

function toTaskCall({ task_id, payload }: RunningTask, commands: boolean): TaskCall {
  if ('prompt' in payload) {
    const message = 'A prompt is for a pool of agents; this worker runs functions and commands.';
    throw new TaskError({ type: 'Unsupported', message }, { retry: false });
  }
  // A writer of the queue can bypass the checks of the submission.
  if ('command' in payload && !commands) {
    const message =
      'This worker only runs functions. Set "commands: true" in its pool (TASK_COMMANDS=true on a manually started node) to allow commands.';
    throw new TaskError({ type: 'CommandsNotAllowed', message }, { retry: false });
  }
  return { task_id, ...payload };
}

function toCallHooks({ signal, progress }: TaskControls, bound: AbortSignal | undefined): CallHooks {
  return { signal: bound ? AbortSignal.any([signal, bound]) : signal, onProgress: progress };
}
