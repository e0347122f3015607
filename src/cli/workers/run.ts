import { Command, InvalidArgumentError } from 'commander';
import { errorMessage, hasEnded, type StatusRecord, toCommandEntry } from '../../model/index.ts';
import { RESPONSE_SECONDS, requestManager } from '../api/request-manager.ts';
import type { Context } from '../context.ts';
import { sendLines } from '../doors/attach.ts';
import { EXIT } from '../exit.ts';
import { followOutputs } from '../logs/log-streams.ts';
import { type Format, isData, streamOption } from '../print/output.ts';
import { EntryPrinter } from '../print/output-entry.ts';
import type { Session } from '../session.ts';
import { waitFor } from '../wait-for.ts';
import { type CreateOptions, createFields } from './create-fields.ts';
import { addCreateOptions } from './create-options.ts';
import { describeEnd, printWarnings, requestCreate, untilStarted } from './create-worker.ts';
import { onInterrupt } from './on-interrupt.ts';

/** How long a finished worker may take to be deleted. */
const DELETE_SECONDS = 10;
/** The reason of its stop or deletion, for its history. */
const INTERRUPTED = 'wm run was interrupted';
/** Reasons that need no explanation: the exit code says it, or the user asked for it. */
const PLAIN_ENDS: ReadonlySet<string> = new Set(['Completed', 'Error', 'Stopped', 'Deleted']);

interface Options extends Omit<CreateOptions, 'keep'> {
  requestId?: string;
  rm?: boolean;
  keep?: boolean;
  interactive?: boolean;
  output: Format;
}

export function runWorkerCommand(context: Context): Command {
  const command = new Command('run')
    .summary('create a worker, show its output, and delete it when it ends')
    .description(
      'Create a worker, show what it writes until it ends, and delete it. The exit code is that of its program; it is 1, with the reason, if the program was not started. With --prompt, the worker ends after the prompt. Ctrl-C stops it; a second Ctrl-C leaves it.',
    );
  return addCreateOptions(command)
    .option('--rm [boolean]', 'delete the worker when it has ended (--rm=false is --keep)', toBoolean)
    .option('--keep', 'keep the worker when it has ended')
    .option('-i, --interactive', 'send each line of standard input as a prompt')
    .addOption(streamOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ wm run -- sh -c "echo hello; exit 3"\n  $ wm run --type CLAUDE --secret ANTHROPIC_API_KEY --prompt @task.md',
    )
    .action((commandLine: string[], options: Options) => run(context, commandLine, options));
}

async function run(context: Context, commandLine: string[], options: Options): Promise<void> {
  const { keep: _, ...given } = options;
  const fields = createFields(given, commandLine);
  if (fields.prompt !== undefined && !options.interactive) fields.exit_after_prompt ??= true;
  // Known before the answer, so that Ctrl-C can end the worker at any time. One that the user chose may be another's.
  const worker = { id: String(fields.worker_id ?? context.newId()), ours: fields.worker_id === undefined };
  const request = { ...fields, worker_id: worker.id, request_id: options.requestId ?? context.newId() };
  const session = await context.session();
  const kept = options.keep === true || options.rm === false;
  const end = async (command: 'stop' | 'delete') => {
    if (worker.ours) await send(session, context, { command, worker_id: worker.id, reason: INTERRUPTED });
  };
  const release = onInterrupt(context, {
    first: () => void end('stop'),
    note: `Stopping the worker; press Ctrl-C again to leave it running as ${worker.id}.`,
  });
  try {
    const { answer, id, failure } = await requestCreate(context, session, request, RESPONSE_SECONDS);
    if (failure) {
      worker.ours = false;
      throw failure;
    }
    Object.assign(worker, { id, ours: true });
    printWarnings(context.out, answer);
    // A start that failed is reported below, after what the worker wrote.
    await untilStarted(context, session, id).catch(() => {});
    const { started, status } = await followToEnd(context, session, id, options);
    context.exitWith(toRunExitCode(started, status));
    if (!started || !PLAIN_ENDS.has(status?.reason ?? ''))
      context.out.note(`error: The worker ${id} is ${describeEnd(status)}`);
    if (kept) context.out.note(`note: the worker ${id} was kept; \`wm delete ${id}\` deletes it.`);
    else await remove(context, session, id);
  } catch (error) {
    // Nothing may run unattended, not even a create that no manager has read yet.
    if (!kept) await end('delete');
    throw error;
  } finally {
    release();
  }
}

/** Prints the output until the worker has ended for good. It was started if its output has an entry `ready`. */
async function followToEnd(
  context: Context,
  session: Session,
  id: string,
  { interactive, output }: Options,
): Promise<{ started: boolean; status: StatusRecord | undefined }> {
  const printer = new EntryPrinter(context.out, isData(output) ? output : 'plain');
  const stopReading = interactive ? sendLines(context, session, id) : () => {};
  let started = false;
  try {
    for await (const { source, entry } of followOutputs(session, async () => [{ id, from: '0' }])) {
      started ||= entry.type === 'ready';
      await printer.print(entry, source);
    }
  } finally {
    stopReading();
  }
  return { started, status: (await session.store.status(id))?.status };
}

/** The exit code of the program; 1 if it was not started, or failed for another reason. Pure. */
export function toRunExitCode(started: boolean, status: StatusRecord | undefined): number {
  if (!started || !status || !hasEnded(status.status)) return EXIT.failed;
  return status.exit_code || (status.status === 'FAILED' ? EXIT.failed : EXIT.done);
}

async function remove(context: Context, session: Session, worker_id: string): Promise<void> {
  const command = { command: 'delete', worker_id, request_id: context.newId() };
  await requestManager(context, session, command, RESPONSE_SECONDS);
  await waitFor(session, worker_id, 'deleted', { seconds: DELETE_SECONDS });
}

/** Sends a command without waiting for its answer. */
async function send(session: Session, { newId, out }: Context, command: object): Promise<void> {
  try {
    const entry = toCommandEntry({ ...command, request_id: newId() });
    await session.redis.xadd(session.store.keys.commands, '*', 'data', entry);
  } catch (error) {
    out.note(`note: the worker was not ended: ${errorMessage(error)}`);
  }
}

function toBoolean(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new InvalidArgumentError('It must be true or false; the command line of the worker follows --.');
}
