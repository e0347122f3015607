/** `wm tasks`: everything about tasks. It reads and writes the queues itself and needs no manager. */
import { Command, Option } from 'commander';
import { TASK_STATUSES, type TaskStatus, type TaskView } from '../../model/index.ts';
import type { TaskService } from '../../tasks/task-service.ts';
import type { Context } from '../context.ts';
import { printListing, printResult } from '../print/listing.ts';
import { type Format, outputOption } from '../print/output.ts';
import { formatFields } from '../print/table.ts';
import { formatAgeSince } from '../print/text.ts';
import { parseCount } from '../values.ts';
import { findTask, TASK_ARGUMENT } from './find-task.ts';
import { rejectEnded } from './reject-ended.ts';
import { submitCommand } from './submit-task.ts';
import { taskLogsCommand } from './tasks-logs.ts';
import { retryCommand } from './tasks-retry.ts';
import { waitForTasksCommand } from './tasks-wait.ts';
import { withTaskService } from './with-task-service.ts';

const COLUMNS = ['TASK', 'POOL', 'STATUS', 'PRIORITY', 'ATTEMPTS', 'WORKER', 'QUEUED', 'ERROR'];

export function tasksCommand(context: Context): Command {
  const group = new Command('tasks').summary('submit and inspect tasks');
  const verbs = [
    submitCommand(context),
    lsCommand(context),
    getCommand(context),
    waitForTasksCommand(context),
    taskLogsCommand(context),
    cancelCommand(context),
    retryCommand(context),
  ];
  for (const verb of verbs) group.addCommand(verb);
  return group;
}

function getCommand(context: Context): Command {
  return new Command('get')
    .summary('show a task')
    .description("Show a task's status, result or error.")
    .argument('<task>', TASK_ARGUMENT)
    .option('--pool <name>', 'pool, if several have a task with this ID')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm tasks get 3f2a… -o json')
    .action((id: string, { pool, output }: { pool?: string; output: Format }) =>
      withTaskService(context, async (taskService) =>
        show(context, await findTask(taskService, id, pool), output),
      ),
    );
}

function cancelCommand(context: Context): Command {
  return new Command('cancel')
    .summary('cancel a task')
    .description('Cancel a task: a queued one immediately, a running one once its handler has been stopped.')
    .argument('<task>', TASK_ARGUMENT)
    .option('--pool <name>', 'pool, if several have a task with this ID')
    .option('--reason <text>', 'reason, for the error of the task')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm tasks cancel 3f2a… --reason "not needed any more"')
    .action((id: string, { pool, reason, output }: { pool?: string; reason?: string; output: Format }) =>
      withTaskService(context, async (taskService) => {
        const before = await findTask(taskService, id, pool);
        rejectEnded(before);
        const view = await taskService.cancel(before.task_id, reason, pool);
        // It may have ended before the request.
        if (!view.cancelled) rejectEnded(view);
        await show(context, view, output);
      }),
    );
}

function lsCommand(context: Context): Command {
  return new Command('ls')
    .summary('list tasks')
    .description(
      'List tasks: running ones, queued ones in the order in which they will be taken, and ended ones, newest first.',
    )
    .option('--pool <name>', 'filter by pool')
    .addOption(new Option('--status <status>', 'filter by status').choices(TASK_STATUSES))
    .option('-n, --limit <number>', 'maximum number', parseCount, 50)
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm tasks ls --pool work --status failed')
    .action(({ output, ...of }: { pool?: string; status?: TaskStatus; limit: number; output: Format }) =>
      withTaskService(context, async (taskService) => {
        const tasks = await listUpTo(taskService, of);
        const rows = tasks.map((task) => ({
          name: `task/${task.task_id}`,
          value: task,
          cells: [
            task.task_id,
            task.pool,
            task.cancelled ? 'cancelled' : task.status,
            task.priority,
            task.attempts,
            task.worker_id ?? '',
            formatAgeSince(task.queued_at, context.now()),
            task.error ? `${task.error.type}: ${task.error.message}` : '',
          ],
        }));
        await printListing(context.out, output, { columns: COLUMNS, rows });
      }),
    );
}

/** Pages until there are enough. */
async function listUpTo(
  taskService: TaskService,
  { limit, ...of }: { limit: number; pool?: string; status?: TaskStatus },
): Promise<TaskView[]> {
  const tasks: TaskView[] = [];
  let cursor: string | undefined;
  do {
    const page = await taskService.list({ ...of, limit: limit - tasks.length, cursor });
    tasks.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && tasks.length < limit);
  return tasks;
}

async function show({ out, now }: Context, task: TaskView, output: Format): Promise<void> {
  const { error } = task;
  const fields = formatFields([
    ['Task', task.task_id],
    ['Pool', task.pool],
    ['Status', task.cancelled ? `${task.status} (cancelled)` : task.status],
    ['Priority', task.priority],
    ['Attempts', task.attempts],
    ['Worker', task.worker_id ?? undefined],
    ['Queued', `${formatAgeSince(task.queued_at, now())} ago`],
    ['Progress', task.progress === null ? undefined : JSON.stringify(task.progress)],
    ['Result', task.status === 'completed' ? JSON.stringify(task.result) : undefined],
    ['Error', error ? `${error.type}: ${error.message}` : undefined],
  ]);
  const text = error?.traceback ? `${fields}\n\n${error.traceback}` : fields;
  await printResult(out, output, { value: task, names: [`task/${task.task_id}`], text });
}
