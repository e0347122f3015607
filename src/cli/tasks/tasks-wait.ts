/** `wm tasks wait`, and waiting for tasks in other verbs. */
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import type { TaskView } from '../../model/index.ts';
import type { TaskService } from '../../tasks/task-service.ts';
import type { Context } from '../context.ts';
import { EXIT, TimedOut } from '../exit.ts';
import { type Format, isData, outputOption } from '../print/output.ts';
import { parseSeconds } from '../values.ts';
import { findTask, TASK_ARGUMENT } from './find-task.ts';
import { withTaskService } from './with-task-service.ts';

const WAIT_SECONDS = 300;
const POLL_MS = 200;

interface Options {
  pool?: string;
  timeout: number;
  output: Format;
}

export function waitForTasksCommand(context: Context): Command {
  return new Command('wait')
    .summary('wait for tasks to end')
    .description('Wait for tasks to end, and print each one in the order given. Exits 1 if one has failed.')
    .argument('<task...>', TASK_ARGUMENT)
    .option('--pool <name>', 'pool, if several have a task with this ID')
    .option('--timeout <time>', 'time limit for all of them', parseSeconds, WAIT_SECONDS)
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ wm tasks wait --timeout 10m 3f2a… 9c41…\n\nWith -o json, one JSON object per line.',
    )
    .action((ids: string[], options: Options) => wait(context, ids, options));
}

async function wait(context: Context, ids: string[], { pool, timeout, output }: Options): Promise<void> {
  const until = deadline(timeout);
  await withTaskService(context, async (taskService) => {
    // An unknown one is reported before any is waited for.
    const tasks = await Promise.all(ids.map((id) => findTask(taskService, id, pool)));
    for (const task of tasks) await printEnd(context, await untilEnded(taskService, task, until), output);
  });
}

/** A time limit that several waits share. */
export interface Deadline {
  seconds: number;
  /** On the clock of `performance.now()`. */
  at: number;
}

export const deadline = (seconds: number): Deadline => ({ seconds, at: performance.now() + seconds * 1000 });

/** Throws TimedOut at the deadline. */
export async function untilEnded(
  taskService: TaskService,
  { task_id, pool }: { task_id: string; pool: string },
  { seconds, at }: Deadline,
): Promise<TaskView> {
  for (;;) {
    const task = await taskService.get(task_id, pool);
    if (hasTaskEnded(task)) return task;
    if (performance.now() > at)
      throw new TimedOut(
        `The task ${task_id} is ${task.status} after ${seconds} s and continues. See \`wm tasks get ${task_id}\`.`,
      );
    await delay(POLL_MS);
  }
}

export const hasTaskEnded = ({ status }: TaskView): boolean => status === 'completed' || status === 'failed';

/** Prints an ended task on one line, its error on stderr; a failure is one of the verb. */
export async function printEnd({ out, exitWith }: Context, task: TaskView, output: Format): Promise<void> {
  const { task_id, status, error } = task;
  if (status === 'failed') exitWith(EXIT.failed);
  if (isData(output)) return out.item(output, task);
  if (output === 'name') await out.line(`task/${task_id}`);
  else await out.line(`${task_id} ${task.cancelled ? 'cancelled' : status}`);
  if (error) out.note(`${task_id} failed: ${error.type}: ${error.message}`);
}
