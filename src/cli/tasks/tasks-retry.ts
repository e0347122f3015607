import { Command } from 'commander';
import type { Context } from '../context.ts';
import { type Format, isData, outputOption } from '../print/output.ts';
import { findTask, TASK_ARGUMENT } from './find-task.ts';
import { withTaskService } from './with-task-service.ts';

/** `wm tasks retry` */
export function retryCommand(context: Context): Command {
  return new Command('retry')
    .summary('run failed tasks again')
    .description(
      'Queue failed or cancelled tasks again, with the same ID and payload and all their retries. Stops at the first that cannot be retried.',
    )
    .argument('<task...>', TASK_ARGUMENT)
    .option('--pool <name>', 'pool, if several have a task with this ID')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm tasks retry 3f2a… && wm tasks wait 3f2a…')
    .action((ids: string[], { pool, output }: { pool?: string; output: Format }) =>
      withTaskService(context, async (taskService) => {
        for (const id of ids) {
          const { task_id, pool: its } = await findTask(taskService, id, pool);
          const task = await taskService.retry(task_id, { pool: its });
          if (isData(output)) await context.out.item(output, task);
          else await context.out.line(output === 'name' ? `task/${task_id}` : `${task_id} ${task.status}`);
        }
      }),
    );
}
