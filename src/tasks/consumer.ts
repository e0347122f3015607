import type { TaskPayload, TaskPriority } from '../model/task.ts';
import type { TaskResult } from './results.ts';
import type { TaskStoreAddress } from './tasks.ts';

/** A task whose attempt begins. */
export interface RunningTask {
  task_id: string;
  payload: TaskPayload;
  priority: TaskPriority;
  /** 1 for the first. */
  attempt: number;
  timeout_seconds: number;
  queued_at: string;
}

/** Why an attempt is asked to end; the `reason` of its signal. */
export class TaskAbort extends Error {
  override readonly name = 'TaskAbort';
  /**
   * `timeout` · `cancelled` · `lost`: the task's lock is gone and another worker may run it, whatever comes out counts for
   * nothing · `ending`: the worker ends and its grace is over, the task goes to another.
   */
  readonly kind: 'timeout' | 'cancelled' | 'lost' | 'ending';
  constructor(kind: TaskAbort['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** What an attempt is given. */
export interface TaskControls {
  /** Fires when the attempt has to end for real; `signal.reason` is a TaskAbort. The promise must settle soon after. */
  signal: AbortSignal;
  /** Any JSON value; the last one counts. Never throws. */
  progress(value: unknown): void;
}

/** Runs one attempt. Resolves with a JSON value; throws a TaskError (or anything) where it failed. */
export type RunTask = (task: RunningTask, controls: TaskControls) => Promise<unknown>;

export interface ConsumerSettings extends TaskStoreAddress {
  pool: string;
  workerId: string;
  /** 1 where there is none. */
  incarnation: number;
  /** Slots: attempts at a time. */
  concurrency: number;
  run: RunTask;
  /** TASK_TIMEOUT: of an attempt, where the task names none. */
  timeoutSeconds?: number;
  keepSeconds?: number;
  /** After an abort, how long the attempt may take to end before it counts as failed anyway; its slot stays taken. */
  endGraceSeconds?: number;
  /** How long a worker may be silent before its tasks go to others; 15 without it. */
  lockSeconds?: number;
  /** Receives errors of Redis and refused results. For a log. */
  onError?: (message: string, fields: Record<string, unknown>) => void;
}

/** One attempt that is under way. */
export interface ActiveTaskInfo {
  task_id: string;
  attempt: number;
  /** When it was given to the runner. */
  started_at: string;
}

/** Totals of this consumer since its start. */
export interface ConsumerTotals {
  completed: number;
  /** Attempts that failed for good. */
  failed: number;
  /** Attempts that failed and are followed by another. */
  retried: number;
  /** Results that were refused, for the task was no longer this worker's. */
  fenced: number;
  /** The tasks that ended, by how they did. */
  results: Readonly<Record<TaskResult, number>>;
  /** Of all attempts together. */
  seconds: number;
}

/** Takes tasks off a pool's queue and has them run. */
export interface TaskConsumer {
  /** Starts to take tasks. Resolves when Redis answers; retries forever if it does not. */
  start(): Promise<void>;
  /** Takes nothing new until `resume`, running tasks continue: for a worker above its limits. */
  pause(): void;
  resume(): void;
  readonly paused: boolean;
  active(): ActiveTaskInfo[];
  totals(): ConsumerTotals;
  /** Takes nothing new for good; resolves when nothing runs any more. */
  drain(): Promise<void>;
  /** Ends: aborts what runs as `ending` (others take it at once), waits for it, closes the connections. After `drain`, nothing is left to abort. */
  close(): Promise<void>;
}
