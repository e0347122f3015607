import { z } from 'zod';
import { FUNCTION_NAME, FUNCTION_NAME_LENGTH } from './function-name.ts';
import { TEXT_LIMIT } from './spec.ts';
import type { TaskFailure } from './task-error.ts';

/** From the least urgent to the most. */
export const TASK_PRIORITIES = ['low', 'normal', 'high', 'critical'] as const;
export type TaskPriority = (typeof TASK_PRIORITIES)[number];

/** A task ends in exactly one of `completed` and `failed`; a cancelled one is `failed` with the error `Cancelled`. */
export const TASK_STATUSES = ['queued', 'running', 'completed', 'failed'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

const DAY = 86_400;
/** A task's name within its pool. Whoever submits may choose it: the same twice is one task. */
export const taskId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'must be 1 to 128 letters, digits and . _ -');

/** What is to be done: a function of a handler file, a program, or a prompt for an agent's turn. */
export const taskPayload = z.union([
  z.strictObject({
    /** A registered function: its name, or `module.name`. */
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

/** How long after a failed attempt the next one waits. */
export const taskBackoff = z.strictObject({
  /** `exponential`: the delay doubles with each attempt. */
  type: z.enum(['fixed', 'exponential']).default('exponential'),
  delay_seconds: z.number().min(0).max(DAY).default(1),
  max_delay_seconds: z.number().min(0).max(DAY).default(300),
});
export type TaskBackoff = z.infer<typeof taskBackoff>;

/** A task as it is submitted: `POST /task/submit`, `tasks submit`. */
export const taskSubmission = z.strictObject({
  task_id: taskId.optional(),
  payload: taskPayload,
  priority: z.enum(TASK_PRIORITIES).default('normal'),
  /** Of one attempt; without it TASK_TIMEOUT of the worker. At its end the handler is ended for real. */
  timeout_seconds: z
    .number()
    .min(0.001)
    .max(7 * DAY)
    .optional(),
  /** Attempts beyond the first after an error or a timeout; 0 without it. */
  max_retries: z.number().int().min(0).max(100).optional(),
  backoff: taskBackoff.optional(),
  /**
   * How often the task is given to another worker after its worker died under it, apart from `max_retries`;
   * 0 for a task that must never be begun twice. 3 without it, so that a task that kills workers ends.
   */
  max_losses: z.number().int().min(0).max(100).optional(),
});
export type TaskSubmission = z.input<typeof taskSubmission>;
export type Task = z.infer<typeof taskSubmission>;

/** A task as `GET /task/{id}` tells it. Instants are RFC 3339 in UTC. */
export interface TaskView {
  task_id: string;
  status: TaskStatus;
  /** The handler's return value; null until `completed`. */
  result: unknown;
  /** Why it failed for good; null until `failed`. */
  error: TaskFailure | null;
  /** The same in one line, for clients that print it: `ValueError: no such colour`. */
  error_message: string | null;
  queued_at: string;
  /** Of the last attempt; null before the first. */
  started_at: string | null;
  completed_at: string | null;
  pool: string;
  priority: TaskPriority;
  /** Attempts begun, those included whose worker was lost. */
  attempts: number;
  max_retries: number;
  /** What the handler last said of its progress; null where it said nothing. */
  progress: unknown;
  /** Who runs it or ran it last; null before the first attempt. */
  worker_id: string | null;
  /** It was asked to end: by a person or a program, not by its timeout. */
  cancelled: boolean;
  /** Why the last attempt failed, where another one follows. */
  last_error?: TaskFailure;
  /** When the next attempt may begin, where one waits for its backoff. */
  next_attempt_at?: string;
}

/** What `POST /task/submit` answers. */
export interface TaskAccepted {
  task_id: string;
  /** `queued`, unless the task was here before. */
  status: TaskStatus;
  /** 1 for the next to be taken; 0 where it is no longer queued. */
  position: number;
}

/** How a pool's queue stands. */
export interface TaskCounts {
  /** Waiting, those that wait for their backoff included. */
  queued: number;
  queued_by_priority: Record<TaskPriority, number>;
  /** Of `queued`: waiting for the backoff after a failed attempt. */
  delayed: number;
  active: number;
  /** Ended ones whose result is still kept. */
  completed: number;
  failed: number;
}
