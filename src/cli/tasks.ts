/** `wm tasks`: submits, shows and cancels tasks. It reads and writes the queues itself and needs no manager. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { openTaskService } from '../manager/task-service.ts';
import { Fault, TASK_PRIORITIES, TASK_STATUSES, type TaskStatus, type TaskView } from '../model/index.ts';
import type { TaskService } from '../tasks/task-service.ts';
import type { Context } from './context.ts';
import { EXIT, TimedOut, usageError } from './exit.ts';
import { outputOption } from './output.ts';
import { rejectEnded } from './reject-ended.ts';
import { formatFields, formatTable } from './table.ts';
import { formatAgeSince } from './text.ts';
import { parseCount, parseSeconds, readText } from './values.ts';

const TASK = 'task ID, or a unique prefix among the last 1000 tasks';
const LAST = 1000;
const COLUMNS = ['TASK', 'POOL', 'STATUS', 'PRIORITY', 'ATTEMPTS', 'WORKER', 'QUEUED', 'ERROR'];
const WAIT_SECONDS = 300;
const POLL_MS = 200;

interface SubmitOptions {
  pool?: string;
  function?: string;
  args?: unknown;
  kwargs?: unknown;
  prompt?: string;
  file?: unknown;
  id?: string;
  priority?: string;
  timeout?: number;
  retries?: number;
  wait?: boolean;
  waitTimeout: number;
  output: string;
}

export function tasksCommand(context: Context): Command {
  const group = new Command('tasks').summary('submit and inspect tasks');
  const verbs = [submitCommand(context), getCommand(context), cancelCommand(context), lsCommand(context)];
  for (const verb of verbs) group.addCommand(verb);
  return group;
}

function submitCommand(context: Context): Command {
  return new Command('submit')
    .summary('submit a task')
    .description('Submit a task to a pool: a function of its handlers, a command line after --, or a prompt.')
    .argument('[command...]', 'program and arguments, after --')
    .option('--pool <name>', 'pool (default: the only one, or "default")')
    .option('-f, --function <name>', 'function to call')
    .option('--args <json>', 'arguments as a JSON list', json)
    .option('--kwargs <json>', 'keyword arguments as a JSON object', json)
    .option('--prompt <text>', 'prompt for a pool of agents; - reads standard input')
    .option('--file <file>', 'submission as JSON; - reads standard input', (path) => json(readText(path)))
    .option('--id <id>', 'task ID; a repeated ID is the same task')
    .addOption(new Option('--priority <priority>', 'priority').choices(TASK_PRIORITIES))
    .option('--timeout <time>', 'time limit of one attempt', parseSeconds)
    .option('--retries <number>', 'number of retries', parseCount)
    .option('--wait', 'wait for the task and print its result; exit code 1 if it failed')
    .option('--wait-timeout <time>', 'time limit of --wait', parseSeconds, WAIT_SECONDS)
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ wm tasks submit --pool work -f add --args "[1, 2]" --wait\n  $ wm tasks submit --pool work -- convert in.png out.webp',
    )
    .action((command: string[], options: SubmitOptions) => submit(context, command, options));
}

function getCommand(context: Context): Command {
  return new Command('get')
    .summary('show a task')
    .description("Show a task's status, result or error.")
    .argument('<task>', TASK)
    .option('--pool <name>', 'pool, if several have a task with this ID')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm tasks get 3f2a… -o json')
    .action((id: string, { pool, output }: { pool?: string; output: string }) =>
      withTaskService(context, async (taskService) =>
        show(context, await find(taskService, id, pool), output),
      ),
    );
}

function cancelCommand(context: Context): Command {
  return new Command('cancel')
    .summary('cancel a task')
    .description('Cancel a task: a queued one immediately, a running one once its handler has been stopped.')
    .argument('<task>', TASK)
    .option('--pool <name>', 'pool, if several have a task with this ID')
    .option('--reason <text>', 'reason, for the error of the task')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm tasks cancel 3f2a… --reason "not needed any more"')
    .action((id: string, { pool, reason, output }: { pool?: string; reason?: string; output: string }) =>
      withTaskService(context, async (taskService) => {
        const before = await find(taskService, id, pool);
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
      'List tasks: running ones, queued ones in the order in which they will be taken, and ended ones.',
    )
    .option('--pool <name>', 'filter by pool')
    .addOption(new Option('--status <status>', 'filter by status').choices(TASK_STATUSES))
    .option('-n, --limit <number>', 'maximum number', parseCount, 50)
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm tasks ls --pool work --status failed')
    .action(({ output, ...of }: { pool?: string; status?: TaskStatus; limit: number; output: string }) =>
      withTaskService(context, async (taskService) => {
        const tasks = await taskService.list(of);
        if (output === 'json') return context.out.json(tasks);
        const rows = tasks.map((task) => [
          task.task_id,
          task.pool,
          task.cancelled ? 'cancelled' : task.status,
          task.priority,
          task.attempts,
          task.worker_id ?? '',
          formatAgeSince(task.queued_at, context.now()),
          task.error ? `${task.error.type}: ${task.error.message}` : '',
        ]);
        await context.out.line(formatTable(COLUMNS, rows));
      }),
    );
}

/** The task with that ID, or the only recent one whose ID has that prefix. */
async function find(taskService: TaskService, prefix: string, pool: string | undefined): Promise<TaskView> {
  try {
    return await taskService.get(prefix, pool);
  } catch (error) {
    if (!(error instanceof Fault && error.code === 'not_found')) throw error;
    const last = await taskService.list({ limit: LAST, ...(pool !== undefined && { pool }) });
    const [task, another] = last.filter(({ task_id }) => prefix !== '' && task_id.startsWith(prefix));
    if (!task) throw error;
    if (!another) return task;
    const list = `\n  ${task.task_id}\n  ${another.task_id}`;
    throw new Fault(
      'conflict',
      `More than one task has an ID that starts with ${prefix}; use a longer prefix:${list}`,
    );
  }
}

async function submit(context: Context, command: string[], options: SubmitOptions): Promise<void> {
  const { out } = context;
  await withTaskService(context, async (taskService) => {
    const accepted = await taskService.submit(toSubmission(command, options));
    if (accepted.warning !== undefined) out.note(`note: ${accepted.warning}`);
    if (!options.wait) {
      const { task_id, status, position, pool } = accepted;
      return options.output === 'json' ? out.json({ task_id, status, position, pool }) : out.line(task_id);
    }
    const task = await untilEnded(taskService, accepted, options.waitTimeout);
    if (task.status === 'failed') context.exitWith(EXIT.failed);
    if (options.output === 'json') return out.json(task);
    if (task.error) return out.note(`${task.task_id} failed: ${task.error.type}: ${task.error.message}`);
    await out.json(task.result);
  });
}

/** The submission to send; pure except for standard input. */
function toSubmission(command: string[], options: SubmitOptions): Record<string, unknown> {
  const { file, prompt, args, kwargs, function: name } = options;
  const payloads = [
    ...(command.length > 0 ? [{ command }] : []),
    ...(name === undefined
      ? []
      : [{ function: name, ...(args !== undefined && { args }), ...(kwargs !== undefined && { kwargs }) }]),
    ...(prompt === undefined ? [] : [{ prompt: prompt === '-' ? readText('-') : prompt }]),
  ];
  if (payloads.length > 1)
    throw usageError('Give only one of --function, --prompt and a command line after --.');
  if (payloads.length === 0 && file === undefined)
    throw usageError(
      'There is nothing to do. Give --function, --prompt, --file, or a command line after --.',
    );
  const prefix = {
    payload: payloads[0],
    pool: options.pool,
    task_id: options.id,
    priority: options.priority,
    timeout_seconds: options.timeout,
    max_retries: options.retries,
  };
  const present = Object.entries(prefix).filter(([, value]) => value !== undefined);
  return { ...(typeof file === 'object' ? file : {}), ...Object.fromEntries(present) };
}

async function untilEnded(
  taskService: TaskService,
  { task_id, pool }: { task_id: string; pool: string },
  timeout: number,
): Promise<TaskView> {
  const until = performance.now() + timeout * 1000;
  for (;;) {
    const task = await taskService.get(task_id, pool);
    if (task.status === 'completed' || task.status === 'failed') return task;
    if (performance.now() > until)
      throw new TimedOut(
        `The task ${task_id} is ${task.status} after ${timeout} s and continues. See \`wm tasks get ${task_id}\`.`,
      );
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function show({ out, now }: Context, task: TaskView, output: string): Promise<void> {
  if (output === 'json') return out.json(task);
  const { error } = task;
  await out.line(
    formatFields([
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
    ]),
  );
  if (error?.traceback) await out.line(`\n${error.traceback}`);
}

async function withTaskService(
  context: Context,
  act: (taskService: TaskService) => Promise<void>,
): Promise<void> {
  const { redis, settings } = await context.session();
  const { openTasks } = await import('../tasks/index.ts');
  const tasks = openTasks(settings);
  try {
    await act(openTaskService({ redis, cell: settings.cell, tasks }));
  } finally {
    await tasks.close();
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('The value is not JSON.');
  }
}
