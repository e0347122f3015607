/** `wm tasks submit`: submits a task and, with `--wait`, prints its result. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { TASK_PRIORITIES, type TaskView } from '../model/index.ts';
import type { TaskService } from '../tasks/task-service.ts';
import type { Context } from './context.ts';
import { EXIT, TimedOut, usageError } from './exit.ts';
import { outputOption } from './output.ts';
import { parseCount, parseSeconds, readText } from './values.ts';
import { withTaskService } from './with-task-service.ts';

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

export function submitCommand(context: Context): Command {
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

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('The value is not JSON.');
  }
}
