/** What the node API takes and answers, as schemas: its OpenAPI document and its page are made from them. */
import { z } from 'zod';
import { TASK_PRIORITIES, TASK_STATUSES, taskSubmission } from '../../src/model/task.ts';

const instant = z.string().describe('RFC 3339 in UTC');
const nullable = <T extends z.ZodType>(schema: T) => z.union([schema, z.null()]);
const failure = z.object({ type: z.string(), message: z.string(), traceback: z.string().optional() });

/** The answer to a submission. */
export const accepted = z.object({
  status: z.enum(TASK_STATUSES),
  task_id: z.string(),
  position: z.number().int().describe('1 for the next to be taken; 0 if it is no longer queued'),
});

/** A task. */
export const task = z.object({
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
  last_error: failure.optional(),
  next_attempt_at: instant.optional(),
});

/** The state of the node. */
export const health = z.object({
  status: z.enum(['healthy', 'paused', 'draining', 'starting']),
  active_tasks: z.number().int(),
  queue_size: z.number().int(),
  cpu_percent: z.number(),
  memory_percent: z.number(),
  timestamp: instant,
});

/** Its totals since its start. */
export const metrics = z.object({
  tasks_completed: z.number().int(),
  tasks_failed: z.number().int(),
  tasks_queued: z.number().int(),
  average_execution_time: z.number().describe('seconds'),
  uptime_seconds: z.number(),
  cpu_cores: z.number(),
  memory_total_gb: z.number(),
});

/** Any refusal. */
export const refused = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  }),
  detail: z.string().describe('the message once more'),
});

/** One operation of the node. */
export interface Operation {
  method: 'get' | 'post' | 'delete';
  path: string;
  summary: string;
  body?: z.ZodType;
  /** Absent: text. */
  answer?: z.ZodType;
  /** Other statuses, each with its reason. */
  refusals: Record<number, string>;
}

const AWAY = { 503: 'Redis does not answer, or the node ends' };
const UNKNOWN = { 404: 'the queue has no such task' };

/** Every operation of the node but those that describe it. */
export const OPERATIONS: readonly Operation[] = [
  {
    ...{
      method: 'post',
      path: '/task/submit',
      summary: 'Submit a task',
      body: taskSubmission,
      answer: accepted,
    },
    refusals: {
      400: 'a field is wrong',
      429: 'the queue is full; Retry-After says when to try again',
      ...AWAY,
    },
  },
  {
    ...{ method: 'get', path: '/task/{task_id}', summary: 'Show a task and its result', answer: task },
    refusals: { ...UNKNOWN, ...AWAY },
  },
  {
    ...{ method: 'delete', path: '/task/{task_id}', summary: 'Cancel a task', answer: task },
    refusals: { ...UNKNOWN, 409: 'the task has ended', ...AWAY },
  },
  {
    ...{ method: 'get', path: '/health', summary: 'Show the state and the load of the node', answer: health },
    refusals: { 503: 'the node starts or ends; the body is the same' },
  },
  { ...{ method: 'get', path: '/metrics', summary: 'Show totals', answer: metrics }, refusals: {} },
  { method: 'get', path: '/metrics/prometheus', summary: 'Show metrics for Prometheus', refusals: {} },
];
