/**
 * The task routes, as the manager and every worker node serve them. `task-schemas.ts` describes the same routes; a test
 * holds the two together. They are two files because a node loads zod at its first request, and not at its start.
 */
import type { TaskAccepted, TaskView } from '../model/task.ts';
import { withIdempotencyKey } from './idempotency.ts';
import { jsonResponse, type Route } from './route.ts';

/** What the task routes need: a node looks in the queue of its own pool, the manager in all of them. */
export interface TaskRouteHandlers {
  /** `pool` and `warning` come from the manager only. */
  submit(submission: unknown): Promise<TaskAccepted & { pool?: string; warning?: string }>;
  /** Throws a Fault `not_found`; `pool` is needed if two pools have a task of that id. */
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
