import { z } from 'zod';
import { TRACEPARENT, TRACEPARENT_ALLOWED } from '../messages/trace.ts';
import { DAY_SECONDS, TASK_TIMEOUT_LIMIT_SECONDS, TEXT_LIMIT } from '../values/limits.ts';
import { TASK_ID } from '../values/name-rules.ts';
import { nameBy } from '../worker/spec.ts';
import { FUNCTION_NAME, FUNCTION_NAME_LENGTH } from './function-name.ts';
import type { TaskFailure } from './task-error.ts';

/** From least to most urgent. */
export const TASK_PRIORITIES = ['low', 'normal', 'high', 'critical'] as const;
export type TaskPriority = (typeof TASK_PRIORITIES)[number];

/** A task ends in exactly one of `completed` and `failed`; a cancelled one is `failed` with the error `Cancelled`. */
export const TASK_STATUSES = ['queued', 'running', 'completed', 'failed'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** A task's ID within its pool. The client may choose it; a repeated ID is the same task. */
export const taskId = nameBy(TASK_ID);

/** The work to do: a function of a handler file, a program, or a prompt for an agent's turn. */
export const taskPayload = z.union([
  z.strictObject({
    /** Name of a registered function, or `module.name`. */
    function: z.string().regex(FUNCTION_NAME, 'must be the name of a function').max(FUNCTION_NAME_LENGTH),
    args: z.array(z.json()).max(10_000).optional(),
    kwargs: z.record(z.string(), z.json()).optional(),
  }),
  z.strictObject({
    /** Program and arguments, without a shell. */
    command: z
      .array(
        z
          .string()
          .max(131_071)
          .refine((text) => !text.includes('\0'), 'must not contain NUL'),
      )
      .min(1)
      .max(1000),
  }),
  z.strictObject({ prompt: z.string().min(1).max(TEXT_LIMIT) }),
]);
export type TaskPayload = z.infer<typeof taskPayload>;

/** Delay between a failed attempt and the next one. */
export const taskBackoff = z.strictObject({
  /** `exponential`: the delay doubles with each attempt. */
  type: z.enum(['fixed', 'exponential']).default('exponential'),
  delay_seconds: z.number().min(0).max(DAY_SECONDS).default(1),
  max_delay_seconds: z.number().min(0).max(DAY_SECONDS).default(300),
});
export type TaskBackoff = z.infer<typeof taskBackoff>;

/** A task, as submitted with `POST /task/submit` or `tasks submit`. */
export const taskSubmission = z.strictObject({
  task_id: taskId.optional(),
  payload: taskPayload,
  priority: z.enum(TASK_PRIORITIES).default('normal'),
  /**
   * Timeout of one attempt, TASK_TIMEOUT of the worker by default. When it expires, the handler's processes are killed.
   */
  timeout_seconds: z.number().min(0.001).max(TASK_TIMEOUT_LIMIT_SECONDS).optional(),
  /** Number of further attempts after an error or a timeout; 0 by default. */
  max_retries: z.number().int().min(0).max(100).optional(),
  backoff: taskBackoff.optional(),
  /**
   * Number of times the task is given to another worker after its worker died, independent of `max_retries`; 0 for a
   * task that must never be started twice. 3 by default, so that a task that kills its workers ends.
   */
  max_losses: z.number().int().min(0).max(100).optional(),
  /** Trace of the caller, as in the HTTP header of this name; the task's trace continues it. */
  traceparent: z.string().regex(TRACEPARENT, TRACEPARENT_ALLOWED).optional(),
});
export type TaskSubmission = z.input<typeof taskSubmission>;
export type Task = z.infer<typeof taskSubmission>;

/** A task, as `GET /task/{id}` reports it. Times are RFC 3339 in UTC. */
export interface TaskView {
  task_id: string;
  status: TaskStatus;
  /** The handler's return value; null until `completed`. */
  result: unknown;
  /** The final error; null until `failed`. */
  error: TaskFailure | null;
  /** The error in one line: `ValueError: no such colour`. */
  error_message: string | null;
  queued_at: string;
  /** Start of the last attempt; null before the first. */
  started_at: string | null;
  completed_at: string | null;
  pool: string;
  priority: TaskPriority;
  /** Number of attempts started, including those whose worker was lost. */
  attempts: number;
  max_retries: number;
  /** The last progress that the handler reported; null if it reported none. */
  progress: unknown;
  /** The worker that runs the task or ran it last; null before the first attempt. */
  worker_id: string | null;
  /** The task was cancelled by a client, not by its timeout. */
  cancelled: boolean;
  /** Error of the last attempt, if another attempt follows. */
  last_error?: TaskFailure;
  /** When the next attempt may start, if it waits for its backoff. */
  next_attempt_at?: string;
  /** Only in lists: fields that are left out because they are long. The task itself has them. */
  omitted?: ('result' | 'error' | 'progress')[];
}

/** A page of a list of tasks. */
export interface TaskPage {
  items: TaskView[];
  /** Fetches the next page; null on the last one. */
  next_cursor: string | null;
}

/** Which tasks a list has; all of them by default. */
export interface TaskQuery {
  pool?: string | undefined;
  status?: TaskStatus | undefined;
  /** Maximum number of tasks on the page. */
  limit?: number | undefined;
  /** `next_cursor` of the page before, which had the same pool and status. */
  cursor?: string | undefined;
}

/** The response to `POST /task/submit`. */
export interface TaskAccepted {
  task_id: string;
  /** `queued`, unless the task existed before. */
  status: TaskStatus;
  /** 1 for the next task to be taken; 0 if the task is no longer queued. */
  position: number;
}

/** The numbers of tasks of a pool. */
export interface TaskCounts {
  /** Waiting tasks, including those that wait for their backoff. */
  queued: number;
  queued_by_priority: Record<TaskPriority, number>;
  /** Part of `queued`: tasks that wait for their backoff after a failed attempt. */
  delayed: number;
  active: number;
  /** Completed tasks whose result is still kept. */
  completed: number;
  failed: number;
}
