import type { TaskPayload, TaskPriority } from '../../model/task/task.ts';
import type { TaskResult } from '../results.ts';
import type { TaskStoreAddress } from '../tasks.ts';

/** A task whose attempt starts. */
export interface RunningTask {
  task_id: string;
  payload: TaskPayload;
  priority: TaskPriority;
  /** 1 for the first. */
  attempt: number;
  timeout_seconds: number;
  queued_at: string;
}

/** Why an attempt is aborted; the `reason` of its signal. */
export class TaskAbort extends Error {
  override readonly name = 'TaskAbort';
  /**
   * `timeout` · `cancelled` · `lost`: the task's lock is gone and another worker may run it, so the result
   * does not count · `ending`: the worker ends and its grace period is over, so the task goes to another
   * worker.
   */
  readonly kind: 'timeout' | 'cancelled' | 'lost' | 'ending';
  constructor(kind: TaskAbort['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The context of an attempt. */
export interface TaskControls {
  /** Fires when the attempt must end; `signal.reason` is a TaskAbort. The promise must settle soon after. */
  signal: AbortSignal;
  /** Reports progress, any JSON value; the last one counts. Never throws. */
  progress(value: unknown): void;
}

/** Runs one attempt. Resolves with a JSON value; throws a TaskError (or anything) if it failed. */
export type RunTask = (task: RunningTask, controls: TaskControls) => Promise<unknown>;

export interface ConsumerSettings extends TaskStoreAddress {
  pool: string;
  workerId: string;
  /** 1 if absent. */
  incarnation: number;
  /** Number of slots, which limits concurrent attempts. */
  concurrency: number;
  run: RunTask;
  /** TASK_TIMEOUT: the timeout of an attempt if the task has none. */
  timeoutSeconds?: number;
  keepSeconds?: number;
  /**
   * After an abort, how long the attempt may take to end before it counts as failed anyway; its slot stays
   * occupied.
   */
  endGraceSeconds?: number;
  /** How long a worker may be silent before its tasks go to others; default 15. */
  lockSeconds?: number;
  /** Receives errors of Redis and refused results. For a log. */
  onError?: (message: string, fields: Record<string, unknown>) => void;
}

/** A running attempt. */
export interface ActiveTaskInfo {
  task_id: string;
  attempt: number;
  /** When it was passed to the runner. */
  started_at: string;
}

/** Totals of this consumer since its start. */
export interface ConsumerTotals {
  completed: number;
  /** Attempts that failed for good. */
  failed: number;
  /** Attempts that failed and are followed by another. */
  retried: number;
  /** Results that were rejected because the task no longer belonged to this worker. */
  fenced: number;
  /** Tasks that ended, by result. */
  results: Readonly<Record<TaskResult, number>>;
  /** Total of all attempts. */
  seconds: number;
}

/** Takes tasks from a pool's queue and runs them. */
export interface TaskConsumer {
  /** Starts to take tasks. Resolves when Redis answers; retries forever if it does not. */
  start(): Promise<void>;
  /** Takes no new tasks until `resume`, while running ones continue: for a worker above its limits. */
  pause(): void;
  resume(): void;
  readonly paused: boolean;
  active(): ActiveTaskInfo[];
  totals(): ConsumerTotals;
  /** Takes no new tasks from now on; resolves when none runs any more. */
  drain(): Promise<void>;
  /**
   * Aborts running tasks as `ending` (others take them immediately), waits for them, and closes the
   * connections.
   */
  close(): Promise<void>;
}
