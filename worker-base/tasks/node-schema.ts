/** The schemas of the node API's responses, except for the task routes. */
import { z } from 'zod';
import { instant, type Operation, TASK_OPERATIONS } from '../../src/http/schemas/task-schemas.ts';

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

/** Every operation of the node except those that describe it. */
export const OPERATIONS: readonly Operation[] = [
  ...TASK_OPERATIONS,
  {
    method: 'get',
    path: '/health',
    summary: 'Show the state and the load of the node',
    answer: health,
    refusals: { 503: 'the node is starting or stopping; the body is the same' },
  },
  { method: 'get', path: '/metrics', summary: 'Show totals', answer: metrics, refusals: {} },
  { method: 'get', path: '/metrics/prometheus', summary: 'Show metrics for Prometheus', refusals: {} },
];
