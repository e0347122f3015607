/** Tasks over HTTP, as a worker node answers them, with the pool added: the manager knows all queues. */
import type { TaskAccepted, TaskView } from '../model/index.ts';
import { keyed } from './idempotency.ts';
import { json, type Route } from './route.ts';

export interface TaskRoutesOptions {
  submit: (given: unknown) => Promise<TaskAccepted & { pool: string; warning?: string }>;
  /** Throws a Fault `not_found`; `pool` where two of them have a task of that id. */
  get: (taskId: string, pool?: string) => Promise<TaskView>;
  cancel: (taskId: string, reason?: string, pool?: string) => Promise<TaskView>;
}

export function taskRoutes({ submit, get, cancel }: TaskRoutesOptions): Route[] {
  return [
    {
      method: 'POST',
      path: '/task/submit',
      async handle(asked) {
        const accepted = await submit(keyed(await asked.json(), asked));
        const { status, task_id, position, pool, warning } = accepted;
        return json(200, { status, task_id, position, pool, ...(warning !== undefined && { warning }) });
      },
    },
    {
      method: 'GET',
      path: '/task/:task_id',
      handle: async ({ params, query }) =>
        json(200, await get(params.task_id ?? '', query.get('pool') ?? undefined)),
    },
    {
      method: 'DELETE',
      path: '/task/:task_id',
      handle: async ({ params, query }) =>
        json(
          200,
          await cancel(
            params.task_id ?? '',
            query.get('reason') ?? undefined,
            query.get('pool') ?? undefined,
          ),
        ),
    },
  ];
}
