/** `wm tasks logs`: what a task printed, which is in the output of the worker that ran it. */
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import type { OutputMessage, TaskView } from '../../model/index.ts';
import { getKeys, readStream } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { type Format, isData, streamOption } from '../print/output.ts';
import { EntryPrinter, type Style } from '../print/output-entry.ts';
import { findTask, TASK_ARGUMENT } from './find-task.ts';
import { hasTaskEnded } from './tasks-wait.ts';
import { withTaskService } from './with-task-service.ts';

const POLL_MS = 250;
/** Output may arrive after its task has ended: the worker sends it apart from the result. */
const LATE_MS = 500;
/** The clock of a worker's machine may be behind. */
const SKEW_MS = 60_000;

interface Options {
  follow?: boolean;
  raw?: boolean;
  pool?: string;
  output: Format;
}

export function taskLogsCommand(context: Context): Command {
  return new Command('logs')
    .summary("show a task's output")
    .description(
      'Show what a task printed: stdout and stderr unchanged, everything else as [type] content. It is read from the worker that runs the task or ran it last, which keeps only its last output.',
    )
    .argument('<task>', TASK_ARGUMENT)
    .option('-f, --follow', 'follow new output until the task ends or Ctrl-C')
    .option('--raw', 'only stdout and stderr, byte for byte, even on a terminal')
    .option('--pool <name>', 'pool, if several have a task with this ID')
    .addOption(streamOption())
    .addHelpText('after', '\nExample:\n  $ wm tasks logs -f 3f2a…\n\nWith -o json, one JSON object per line.')
    .action((id: string, options: Options) => logs(context, id, options));
}

async function logs(context: Context, id: string, { follow, raw, pool, output }: Options): Promise<void> {
  const { out } = context;
  const style: Style = isData(output) ? output : raw ? 'raw' : 'text';
  const printer = new EntryPrinter(out, style);
  await withTaskService(context, async (taskService, { redis, settings }) => {
    let task = await findTask(taskService, id, pool);
    const { output: keyOf } = getKeys(settings.cell);
    let printed = 0;
    let [worker, last] = ['', ''];
    const print = async ({ worker_id, task_id, queued_at }: TaskView) => {
      if (worker_id === null) return;
      if (worker_id !== worker) [worker, last] = [worker_id, `${Date.parse(queued_at) - SKEW_MS}-0`];
      for await (const { id: entry, data } of readStream(redis, keyOf(worker), {
        from: last,
        follow: false,
      })) {
        last = entry;
        const message = data as OutputMessage;
        // A prompt's turn has the ID of its task as its request.
        if (message.task_id !== task_id && message.request_id !== task_id) continue;
        printed += 1;
        await printer.print(message, { id: worker });
      }
    };
    for (; follow && !hasTaskEnded(task); task = await taskService.get(task.task_id, task.pool)) {
      await print(task);
      await delay(POLL_MS);
    }
    if (follow) await delay(LATE_MS);
    await print(task);
    if (printed === 0) out.note(explainNothing(task));
  });
}

function explainNothing({ task_id, status, worker_id }: TaskView): string {
  if (worker_id === null)
    return `The task ${task_id} has printed nothing: it is ${status} and was not started.`;
  return `The task ${task_id} has printed nothing, or the worker ${worker_id} no longer keeps it.`;
}
