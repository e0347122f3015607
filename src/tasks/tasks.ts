/**
 * The tasks of a cell: one queue a pool, in Redis, on BullMQ.
 *
 * Owns the life of a task between `submit` and its one end. What must hold: a task that was accepted ends in exactly one
 * of `completed` and `failed`; a result counts only from the attempt that holds the task's lock; a queue never holds
 * more than its size. Nothing outside of this folder knows of BullMQ. Imports the model only.
 */

import type { Task, TaskAccepted, TaskCounts, TaskStatus, TaskView } from '../model/task.ts';
import type { DurationTotals } from './durations.ts';
import type { ResultTotals } from './results.ts';

/** Where the tasks are. */
export interface TaskStoreAddress {
  redisUrl: string;
  cell: string;
}

/** What a pool sets for its queue. */
export interface QueueSettings {
  /** Tasks that may wait; without it there is no bound. */
  queueSize?: number;
  /** Seconds for which the result or the error of an ended task can be read; TASK_KEEP_SECONDS without it. */
  keepSeconds?: number;
}

/** All queues of a cell, over one connection. */
export interface Tasks {
  /** The queue of a pool, whether or not the pool is declared: a hand-started node has one too. */
  queue(pool: string, settings?: QueueSettings): TaskQueue;
  /** A task by its id alone; `undefined` where none is known. `conflict` where two pools have one of that id. */
  find(taskId: string): Promise<TaskView | undefined>;
  /** `cancel` of the queue that has the task. */
  cancel(taskId: string, reason?: string): Promise<TaskView>;
  /** Pools that ever had a task and were not removed, sorted. */
  pools(): Promise<string[]>;
  close(): Promise<void>;
}

/** One pool's queue. Every method throws a Fault: `unavailable` where Redis does not answer. */
export interface TaskQueue {
  readonly pool: string;
  /**
   * Takes a task that `taskSubmission` has let through. The same `task_id` again changes nothing and answers how the task
   * stands. `capacity` (a QueueFull, with `retry_after_seconds`) where `queueSize` tasks wait.
   */
  submit(task: Task): Promise<TaskAccepted>;
  get(taskId: string): Promise<TaskView | undefined>;
  /**
   * A queued task ends at once; a running one is asked of its worker and ends when its handler has ended (the view then
   * says `cancelled: true`); an ended one stays as it is. `not_found` where none is known.
   */
  cancel(taskId: string, reason?: string): Promise<TaskView>;
  counts(): Promise<TaskCounts>;
  /** How long attempts took, of all workers that the pool ever had. */
  durations(): Promise<DurationTotals>;
  /** Adds to that what one worker has measured since it last did so. */
  addDurations(totals: DurationTotals): Promise<void>;
  /** How tasks ended, of all workers that the pool ever had. */
  results(): Promise<ResultTotals>;
  /** Adds to that what one worker has counted since it last did so. */
  addResults(more: ResultTotals): Promise<void>;
  /** The queued ones in the order in which they are taken, the others newest first. At most 1000; 100 without a limit. */
  list(of?: { status?: TaskStatus; limit?: number }): Promise<TaskView[]>;
  /**
   * Says that a worker is dead (that incarnation and older ones; all of them without it), so that others take its tasks at
   * once instead of after their locks' end. Only for a body that is known to be gone. Returns how many tasks it held.
   */
  release(workerId: string, incarnation?: number): Promise<number>;
  /** Deletes tasks that ended longer than `keepSeconds` ago. Working pools do so automatically. */
  sweep(): Promise<void>;
  /** Deletes the queue and all its tasks; running ones are fenced. */
  remove(): Promise<void>;
}
