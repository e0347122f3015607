/** Runs of tasks in a worker's slots: what was taken from the queue becomes a call of a handler, under the worker's own bound of time. */

import { TaskError } from '../../src/model/task-error.ts';
import type { RunningTask, RunTask, TaskHands } from '../../src/tasks/consumer.ts';
import type { Call, CallHooks } from '../runner/slot.ts';

/** Seconds at which the buckets of the duration's histogram end; Prometheus' own defaults, and tasks of minutes. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** How long tasks took, as Prometheus counts it. */
export class Durations {
  readonly #counts = BUCKETS.map(() => 0);
  count = 0;
  sum = 0;

  add(seconds: number): void {
    this.count += 1;
    this.sum += seconds;
    for (const [at, end] of BUCKETS.entries())
      if (seconds <= end) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  /** Upper end to how many took no longer. */
  get buckets(): [string, number][] {
    return [
      ...BUCKETS.map((end, at): [string, number] => [String(end), this.#counts[at] ?? 0]),
      ['+Inf', this.count],
    ];
  }
}

export interface RunOptions {
  call: (call: Call, hooks: CallHooks) => Promise<unknown>;
  /** `max_job_time_seconds`: no task runs for longer, whatever its own timeout says. */
  maxSeconds: number | undefined;
  durations: Durations;
  /** A task has begun or ended. */
  changed: () => void;
}

/** What the consumer calls for each attempt. */
export function runsOf({ call, maxSeconds, durations, changed }: RunOptions): RunTask {
  return async (task, hands) => {
    const began = performance.now();
    changed();
    const bound = maxSeconds === undefined ? undefined : AbortSignal.timeout(maxSeconds * 1000);
    try {
      return await call(callOf(task), hooksOf(hands, bound));
    } catch (error) {
      if (!bound?.aborted || hands.signal.aborted) throw error;
      const message = `The task ran for longer than the ${maxSeconds} s of max_job_time_seconds, and was ended.`;
      throw new TaskError({ type: 'Timeout', message });
    } finally {
      durations.add((performance.now() - began) / 1000);
      changed();
    }
  };
}

function callOf({ task_id, payload }: RunningTask): Call {
  if ('prompt' in payload) {
    const message = 'A prompt is for a pool of agents; this worker runs functions and commands.';
    throw new TaskError({ type: 'Unsupported', message }, { retry: false });
  }
  return { task_id, ...payload };
}

function hooksOf({ signal, progress }: TaskHands, bound: AbortSignal | undefined): CallHooks {
  return { signal: bound ? AbortSignal.any([signal, bound]) : signal, onProgress: progress };
}
