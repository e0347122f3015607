/** Schemas of tasks over HTTP, for `/v1/tasks`. */
import { z } from 'zod';
import { TASK_STATUSES, taskId, taskSubmission } from '../../model/index.ts';
import { apiError } from './errors.ts';
import { taskAccepted, taskView } from './task-schemas.ts';

/** Maximum number of tasks on a page. */
const PAGE_LIMIT = 1000;

/** A task with its result or error. */
export const taskShown = taskView.meta({
  id: 'Task',
  description: 'A task, its state, and its result or error.',
});

/** The body of a submission. */
export const taskRequest = taskSubmission
  .extend({ pool: z.string().optional().describe('the only pool by default, or `default`') })
  .meta({ id: 'TaskSubmission', description: 'A task for a pool: a function call, a command or a prompt.' });

/** The response to a submission. */
export const taskReceipt = taskAccepted.extend({ pool: z.string() }).meta({
  id: 'TaskReceipt',
  description: 'An accepted task. The same task_id again gets its present state.',
});

/** One line of the response to a bulk submission, in the order of the lines. */
export const bulkLine = z
  .union([
    taskReceipt.extend({ line: z.number().int() }),
    z.object({ line: z.number().int(), error: apiError.shape.error }),
  ])
  .meta({ id: 'BulkResult', description: 'The result of one line: an accepted task or an error.' });

export const taskParams = z.object({ task_id: taskId });

/** Names the task of one pool. */
export const ofPool = z.strictObject({
  pool: z.string().optional().describe('needed if two pools have a task with that ID'),
});

export const taskListQuery = z.strictObject({
  pool: z.string().optional().describe('only the tasks of this pool'),
  status: z.enum(TASK_STATUSES).optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_LIMIT).default(100).describe('length of a page'),
  cursor: z.string().optional().describe('`next_cursor` of the page before, with the same filters'),
});

export const taskList = z.object({
  items: z.array(taskShown).describe('may be fewer than `limit`, because tasks move'),
  next_cursor: z.string().nullable().describe('null on the last page'),
});
