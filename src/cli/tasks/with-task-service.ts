import { openTaskService } from '../../manager/task-service.ts';
import type { TaskService } from '../../tasks/task-service.ts';
import type { Context } from '../context.ts';
import type { Session } from '../session.ts';

/** Runs `act` with the task queues of the cell, and closes them after it. */
export async function withTaskService(
  context: Context,
  act: (taskService: TaskService, session: Session) => Promise<void>,
): Promise<void> {
  const session = await context.session();
  const { redis, settings } = session;
  const { openTasks } = await import('../../tasks/index.ts');
  const tasks = openTasks(settings);
  try {
    await act(openTaskService({ redis, cell: settings.cell, tasks }), session);
  } finally {
    await tasks.close();
  }
}
