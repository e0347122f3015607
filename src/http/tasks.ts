/**
 * The task routes of the manager and of every worker node. `task-schemas.ts` describes the same routes, and a test
 * compares the two. They are two files because a node loads zod on its first request and not when it starts.
 */
import type { TaskAccepted, TaskView } from '../model/task/task.ts';
import { withIdempotencyKey } from './idempotency.ts';
import { jsonResponse, type Route } from './route.ts';

/** What the task routes need: a node uses the queue of its own pool, the manager those of all pools. */
export interface TaskRouteHandlers {
  /** Only the manager returns `pool` and `warning`. */
  submit(submission: unknown): Promise<TaskAccepted & { pool?: string; warning?: string }>;
  /** Throws a Fault `not_found`; `pool` is required if two pools have a task with that ID. */
  get(taskId: string, pool?: string): Promise<TaskView>;
  cancel(taskId: string, reason?: string, pool?: string): Promise<TaskView>;
}

export function createTaskRoutes({ submit, get, cancel }: TaskRouteHandlers): Route[] {
  return [
    {
      method: 'POST',
      path: '/task/submit',
      async handle(request) {
        const { status, task_id, position, pool, warning } = await submit(
          withIdempotencyKey(await request.json(), request),
        );
        return jsonResponse(200, { status, task_id, position, pool, warning });
      },
    },
    {
      method: 'GET',
      path: '/task/:task_id',
      handle: async ({ params: { task_id = '' }, query }) =>
        jsonResponse(200, await get(task_id, query.get('pool') ?? undefined)),
    },
    {
      method: 'DELETE',
      path: '/task/:task_id',
      async handle({ params: { task_id = '' }, query }) {
        const reason = query.get('reason') ?? undefined;
        return jsonResponse(200, await cancel(task_id, reason, query.get('pool') ?? undefined));
      },
    },
  ];
}
