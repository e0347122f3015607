/**
 * An example of each operation, in the order in which they can be sent to an empty cell. The OpenAPI document shows them, and
 * a test sends them to a manager.
 */
export interface OperationExample {
  params?: Record<string, string>;
  query?: Record<string, string | number>;
  /** The JSON body. */
  body?: unknown;
  /** The status of the answer; 200 by default. */
  status?: number;
}

const pool = { name: 'text' };
const task = { task_id: 'count-1' };

/** By operation ID. */
export const EXAMPLES: Record<string, OperationExample> = {
  applyPool: {
    body: { name: 'text', count: 0, execution_mode: 'direct', commands: true, tasks: { max_retries: 1 } },
    status: 201,
  },
  putPool: { params: pool, body: { count: 0, execution_mode: 'direct', commands: true } },
  listPools: {},
  getPool: { params: pool },
  createTask: {
    body: {
      task_id: task.task_id,
      pool: 'text',
      payload: { command: ['wc', '-w', 'README.md'] },
      priority: 'high',
    },
    status: 202,
  },
  submitTask: { body: { task_id: 'count-2', pool: 'text', payload: { command: ['date'] } } },
  getTask: { params: task },
  getTaskOfAnyPool: { params: { task_id: 'count-2' } },
  listTasks: { query: { pool: 'text', status: 'queued', limit: 20 } },
  cancelTask: { params: task, query: { reason: 'no longer needed' } },
  retryTask: { params: task },
  cancelTaskOfAnyPool: { params: { task_id: 'count-2' } },
  listNodes: {},
  listImages: { status: 422 },
  getStats: {},
  scalePool: { params: pool, body: { count: 1 } },
  deletePool: { params: pool },
};
