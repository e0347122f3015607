import { Fault, TASK_STATUSES, type TaskView } from '../../model/index.ts';
import type { TaskService } from '../../tasks/task-service.ts';
import { toTaskRef } from '../refs.ts';

/** How a user names a task, for the help. */
export const TASK_ARGUMENT = 'task ID, or a unique prefix among the last 1000 tasks of each status';
const LAST = 1000;

/** The task with that ID, or the only recent one whose ID has that prefix. */
export async function findTask(
  taskService: TaskService,
  ref: string,
  pool: string | undefined,
): Promise<TaskView> {
  const prefix = toTaskRef(ref);
  try {
    return await taskService.get(prefix, pool);
  } catch (error) {
    if (!(error instanceof Fault && error.code === 'not_found')) throw error;
    const pages = TASK_STATUSES.map((status) => taskService.list({ limit: LAST, pool, status }));
    const last = (await Promise.all(pages)).flatMap(({ items }) => items);
    const [task, another] = last.filter(({ task_id }) => prefix !== '' && task_id.startsWith(prefix));
    if (!task) throw error;
    // A list leaves long fields out.
    if (!another) return taskService.get(task.task_id, task.pool);
    const list = `\n  ${task.task_id}\n  ${another.task_id}`;
    throw new Fault(
      'conflict',
      `More than one task has an ID that starts with ${prefix}; use a longer prefix:${list}`,
    );
  }
}
