/** `wm tasks submit`: submits a task, or the tasks of a file, and prints their results with `--wait`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { TASK_PRIORITIES } from '../../model/index.ts';
import type { AcceptedTask } from '../../tasks/bulk.ts';
import type { TaskService } from '../../tasks/task-service.ts';
import type { Context } from '../context.ts';
import { EXIT, usageError } from '../exit.ts';
import { SIGNALED } from '../manager/shutdown.ts';
import { printResult } from '../print/listing.ts';
import { type Format, isData, outputOption } from '../print/output.ts';
import { parseCount, parseSeconds, readText } from '../values.ts';
import { onInterrupt } from '../workers/on-interrupt.ts';
import { submitFile } from './submit-file.ts';
import { deadline, untilEnded } from './tasks-wait.ts';
import { withTaskService } from './with-task-service.ts';

const WAIT_SECONDS = 300;

interface SubmitOptions {
  pool?: string;
  function?: string;
  args?: unknown;
  kwargs?: unknown;
  prompt?: string;
  file?: string;
  id?: string;
  priority?: string;
  timeout?: number;
  retries?: number;
  wait?: boolean;
  waitTimeout: number;
  output: Format;
}

export function submitCommand(context: Context): Command {
  return new Command('submit')
    .summary('submit a task, or many')
    .description(
      'Submit a task to a pool: a function of its handlers, a command line after --, or a prompt. With --file, submit one task a line; ' +
        'each line is accepted or refused alone, and other options apply to all of them.',
    )
    .argument('[command...]', 'program and arguments, after --')
    .option('--pool <name>', 'pool (default: the only one, or "default")')
    .option('--function <name>', 'function to call')
    .option('--args <json>', 'arguments as a JSON list', json)
    .option('--kwargs <json>', 'keyword arguments as a JSON object', json)
    .option('--prompt <text>', 'prompt for a pool of agents; - reads standard input')
    .option('-f, --file <file>', 'submissions as JSON lines, or one as JSON; - reads standard input')
    .option('--id <id>', 'task ID; a repeated ID with the same payload is the same task')
    .addOption(new Option('--priority <priority>', 'priority').choices(TASK_PRIORITIES))
    .option('--timeout <time>', 'time limit of one attempt', parseSeconds)
    .option('--retries <number>', 'number of retries', parseCount)
    .option('--wait', 'wait for the end and print the result; exit code 1 if a task failed')
    .option('--wait-timeout <time>', 'time limit of --wait', parseSeconds, WAIT_SECONDS)
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ wm tasks submit --pool work --function add --args "[1, 2]" --wait\n  $ wm tasks submit --pool work -- convert in.png out.webp\n  $ wm tasks submit --pool work -f jobs.jsonl',
    )
    .action((command: string[], options: SubmitOptions) =>
      withTaskService(context, (taskService) => submit(context, taskService, command, options)),
    );
}

async function submit(
  context: Context,
  taskService: TaskService,
  command: string[],
  options: SubmitOptions,
): Promise<void> {
  const { file, wait, waitTimeout, output } = options;
  const fields = toFields(command, options);
  if (file !== undefined) {
    const seconds = wait ? waitTimeout : undefined;
    return submitFile(context, taskService, { file, fields, waitSeconds: seconds, output });
  }
  if (fields.payload === undefined)
    throw usageError(
      'There is nothing to do. Give --function, --prompt, --file, or a command line after --.',
    );
  await printAccepted(context, taskService, await taskService.submit(fields), options);
}

async function printAccepted(
  context: Context,
  taskService: TaskService,
  { warning, ...accepted }: AcceptedTask,
  { wait, waitTimeout, output }: SubmitOptions,
): Promise<void> {
  const { out } = context;
  const { task_id, status, position, pool } = accepted;
  if (wait)
    onInterrupt(context, {
      first: (signal) => process.exit(SIGNALED[signal]),
      note: `note: the task ${task_id} continues; \`wm tasks cancel ${task_id}\` cancels it.`,
    });
  if (warning !== undefined) out.note(`note: ${warning}`);
  if (!wait) {
    const value = { task_id, status, position, pool };
    return printResult(out, output, { value, names: [`task/${task_id}`], text: task_id });
  }
  const task = await untilEnded(taskService, accepted, deadline(waitTimeout));
  if (task.status === 'failed') context.exitWith(EXIT.failed);
  if (isData(output)) return out.data(output, task);
  if (output === 'name') return out.line(`task/${task.task_id}`);
  if (task.error) return out.note(`${task.task_id} failed: ${task.error.type}: ${task.error.message}`);
  await out.json(task.result);
}

/** The fields that the command line gives; pure except for standard input. */
function toFields(command: string[], options: SubmitOptions): Record<string, unknown> {
  const { prompt, args, kwargs, function: name } = options;
  const payloads = [
    ...(command.length > 0 ? [{ command }] : []),
    ...(name === undefined
      ? []
      : [{ function: name, ...(args !== undefined && { args }), ...(kwargs !== undefined && { kwargs }) }]),
    ...(prompt === undefined ? [] : [{ prompt: prompt === '-' ? readText('-') : prompt }]),
  ];
  if (payloads.length > 1)
    throw usageError('Give only one of --function, --prompt and a command line after --.');
  const fields = {
    payload: payloads[0],
    pool: options.pool,
    task_id: options.id,
    priority: options.priority,
    timeout_seconds: options.timeout,
    max_retries: options.retries,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('The value is not JSON.');
  }
}
