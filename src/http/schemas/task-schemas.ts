/**
 * Schemas of the requests and responses of the task routes. A node's OpenAPI document and its page are generated from
 * them, and tests compare the responses of the manager and of nodes with them.
 */
import { z } from 'zod';
import {
  TASK_PRIORITIES,
  TASK_STATUSES,
  type TaskAccepted,
  type TaskView,
  taskSubmission,
} from '../../model/task/task.ts';

export const instant = z.string().describe('RFC 3339 in UTC');
const nullable = <T extends z.ZodType>(schema: T) => z.union([schema, z.null()]);
const failure = z.object({ type: z.string(), message: z.string(), traceback: z.string().exactOptional() });

/** The response to a submission. */
export const taskAccepted = z.object({
  status: z.enum(TASK_STATUSES),
  task_id: z.string(),
  position: z.number().int().describe('1 for the next to be taken; 0 if it is no longer queued'),
  pool: z.string().exactOptional().describe('the pool that was chosen; from the manager only'),
  warning: z.string().exactOptional().describe('why the task may wait long; from the manager only'),
}) satisfies z.ZodType<TaskAccepted>;

/** A task. */
export const taskView = z.object({
  task_id: z.string(),
  status: z.enum(TASK_STATUSES),
  result: z.unknown().describe('what the function returned; null until completed'),
  error: nullable(failure),
  error_message: nullable(z.string()).describe('the error in one line'),
  queued_at: instant,
  started_at: nullable(instant),
  completed_at: nullable(instant),
  pool: z.string(),
  priority: z.enum(TASK_PRIORITIES),
  attempts: z.number().int(),
  max_retries: z.number().int(),
  progress: z.unknown(),
  worker_id: nullable(z.string()),
  cancelled: z.boolean(),
  last_error: failure.exactOptional(),
  next_attempt_at: instant.exactOptional(),
  omitted: z
    .array(z.enum(['result', 'error', 'progress']))
    .exactOptional()
    .describe('only in lists: fields that are left out because they are long'),
}) satisfies z.ZodType<TaskView>;

/** Any error response. */
export const errorReply = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  }),
  detail: z.string().describe('the message once more'),
});

/** One operation, as an OpenAPI document describes it. */
export interface Operation {
  method: 'get' | 'post' | 'delete';
  path: string;
  summary: string;
  /** Its name in the manager's document. */
  operationId?: string;
  body?: z.ZodType;
  /** If absent, text. */
  answer?: z.ZodType;
  /** Other statuses, each with its reason. */
  refusals: Record<number, string>;
}

const AWAY = { 503: 'Redis does not answer, or the node ends' };
const UNKNOWN = { 404: 'the queue has no such task' };

/** The operations of `createTaskRoutes`. */
export const TASK_OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/task/submit',
    summary: 'Submit a task',
    operationId: 'submitTask',
    body: taskSubmission,
    answer: taskAccepted,
    refusals: {
      400: 'a field is wrong',
      429: 'the queue is full; Retry-After says when to try again',
      ...AWAY,
    },
  },
  {
    method: 'get',
    path: '/task/{task_id}',
    summary: 'Show a task and its result',
    operationId: 'getTaskOfAnyPool',
    answer: taskView,
    refusals: { ...UNKNOWN, ...AWAY },
  },
  {
    method: 'delete',
    path: '/task/{task_id}',
    summary: 'Cancel a task',
    operationId: 'cancelTaskOfAnyPool',
    answer: taskView,
    refusals: { ...UNKNOWN, 409: 'the task has ended', ...AWAY },
  },
];
