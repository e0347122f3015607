/**
 * The tasks of a cell: one queue a pool, in Redis, on BullMQ.
 *
 * Owns the lifecycle of a task from `submit` to its end. Invariants: an accepted task ends as exactly one of
 * `completed` and `failed`; a result counts only from the attempt that holds the task's lock; a queue never
 * exceeds its size. Only this folder uses BullMQ. Imports only the model.
 */

import type {
  Task,
  TaskAccepted,
  TaskCounts,
  TaskPage,
  TaskQuery,
  TaskStatus,
  TaskView,
} from '../model/task/task.ts';
import type { DurationTotals, Measured } from './durations.ts';
import type { EndedTask } from './list/ended-tasks.ts';
import type { ResultTotals } from './results.ts';

/** The location of the tasks. */
export interface TaskStoreAddress {
  redisUrl: string;
  cell: string;
}

/** A pool's settings for its queue. */
export interface QueueSettings {
  /** Maximum number of waiting tasks; unlimited if absent. */
  queueSize?: number;
  /** Seconds for which the result or error of an ended task can be read; default TASK_KEEP_SECONDS. */
  keepSeconds?: number;
}

/** All queues of a cell, over one connection. */
export interface Tasks {
  /** The queue of a pool, declared or not: a manually started node has one as well. */
  queue(pool: string, settings?: QueueSettings): TaskQueue;
  /**
   * A task by its ID alone; `undefined` if it is unknown. `conflict` if two pools have a task with that ID.
   */
  find(taskId: string): Promise<TaskView | undefined>;
  /** `cancel` of the queue that has the task. */
  cancel(taskId: string, reason?: string): Promise<TaskView>;
  /** The pool that has the task; throws a Fault `not_found` if none has, `conflict` if two have one. */
  poolOf(taskId: string): Promise<string>;
  /**
   * Running tasks, queued ones in the order in which they are taken, and ended ones, newest first; of all pools or of one, page
   * by page. `limit` is at most 1000, 100 by default. Throws `invalid_command` if the cursor is of another list.
   */
  list(query?: TaskQuery): Promise<TaskPage>;
  /** Pools that have had a task and were not removed, sorted. */
  pools(): Promise<string[]>;
  close(): Promise<void>;
}

/** One pool's queue. Every method throws a Fault `unavailable` if Redis does not respond. */
export interface TaskQueue {
  readonly pool: string;
  /**
   * Submits a task that `taskSubmission` has accepted. The same `task_id` again changes nothing and returns
   * the task's current state. Throws `capacity` (a QueueFull, with `retry_after_seconds`) if `queueSize`
   * tasks are waiting.
   */
  submit(task: Task): Promise<TaskAccepted>;
  get(taskId: string): Promise<TaskView | undefined>;
  /**
   * Cancels a task. A queued task ends immediately; for a running one its worker is notified, and it ends
   * when its handler has ended (the view then has `cancelled: true`); an ended one is unchanged. Throws
   * `not_found` if it is unknown.
   */
  cancel(taskId: string, reason?: string): Promise<TaskView>;
  /**
   * Queues a failed or cancelled task again: the same ID and payload, behind the waiting tasks of its priority, with all its
   * retries and losses; `attempts` continues. The same `key` again changes nothing. Throws `not_found`, `conflict` if it
   * has not failed, and `capacity` if the queue is full.
   */
  retry(taskId: string, key?: string): Promise<TaskView>;
  counts(): Promise<TaskCounts>;
  /** Seconds that the oldest task has waited for its first start; 0 if none waits. */
  oldestSeconds(): Promise<number>;
  /** Durations of attempts, or of waits for the first one, from all workers that the pool ever had. */
  durations(of: Measured): Promise<DurationTotals>;
  /** Adds a worker's measurements since its last report. */
  addDurations(of: Measured, totals: DurationTotals): Promise<void>;
  /** Results of tasks, from all workers that the pool ever had. */
  results(): Promise<ResultTotals>;
  /** Adds a worker's counts since its last report. */
  addResults(more: ResultTotals): Promise<void>;
  /** Tasks that ended at or after a time in milliseconds since 1970, at most `most` of each result. */
  ended(since: number, most: number): Promise<EndedTask[]>;
  /** The first page of its tasks; see `Tasks.list`. */
  list(of?: { status?: TaskStatus; limit?: number }): Promise<TaskView[]>;
  /**
   * Marks a worker as dead (that incarnation and older ones, or all if absent), so that others take its tasks
   * immediately instead of when their locks expire. Only for a body that is known to be gone. Returns how
   * many tasks it held.
   */
  release(workerId: string, incarnation?: number): Promise<number>;
  /** Deletes tasks that ended longer than `keepSeconds` ago. Working pools do so automatically. */
  sweep(): Promise<void>;
  /** Deletes the queue and all its tasks; running ones are fenced. */
  remove(): Promise<void>;
}
