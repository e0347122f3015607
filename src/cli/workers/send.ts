import { Command, Option } from 'commander';
import { hasEnded, inputMessage, type OutputMessage, toIssues } from '../../model/index.ts';
import { timeoutSignal } from '../../queue/long-timer.ts';
import type { Context } from '../context.ts';
import { TimedOut, usageError } from '../exit.ts';
import { type Format, isData, outputOption } from '../print/output.ts';
import { EntryPrinter } from '../print/output-entry.ts';
import type { Session } from '../session.ts';
import { parseSeconds, readText } from '../values.ts';
import { explainMissing, resolveId } from '../worker-id.ts';

const WAIT_SECONDS = 300;
/** Types of the entries that end a prompt. */
const COMPLETED = new Set(['turn_completed', 'completed', 'waiting_for_input']);
const FAILED = new Set(['turn_failed', 'exited']);

interface Options {
  interrupt?: boolean;
  shutdown?: boolean;
  requestId?: string;
  deadline?: number;
  retry?: boolean;
  wait?: boolean;
  timeout: number;
  output: Format;
}

export function sendCommand(context: Context): Command {
  return new Command('send')
    .summary('send a prompt to a worker')
    .description('Send a prompt to the input stream of a worker and print its request ID.')
    .argument('<id>', 'worker ID, unique ID prefix, or name')
    .argument('[text]', 'prompt; - reads standard input')
    .addOption(new Option('--interrupt', 'interrupt the current turn').conflicts('shutdown'))
    .option('--shutdown', 'ask it to shut down')
    .option('--request-id <id>', 'ID that its responses have (default: generated)')
    .option('--deadline <time>', 'time limit for the agent', parseSeconds)
    .option('--retry', 'begin the turn again if the body ends during it')
    .option('--wait', 'print output until the turn is completed')
    .addOption(
      new Option('--timeout <time>', 'time limit of --wait')
        .argParser(parseSeconds)
        .default(WAIT_SECONDS, '5m'),
    )
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm send 3f2a "Fix the failing test"')
    .action((ref: string, text: string | undefined, options: Options) => send(context, ref, text, options));
}

async function send(
  { session: open, out, newId }: Context,
  ref: string,
  text: string | undefined,
  options: Options,
): Promise<void> {
  const request_id = options.requestId ?? newId();
  const message = toInputMessage(text, request_id, options);
  const session = await open();
  const id = await resolveId(session, ref);
  const loaded = await session.store.load(id);
  if (!loaded) throw await explainMissing(session, id);
  const { keys } = session.store;
  const from = await session.lastId(keys.output(id));
  const entry_id = await session.redis.xadd(keys.input(id), '*', 'data', JSON.stringify(message));
  const status = loaded.record.status?.status;
  if (hasEnded(status))
    out.note(`note: the worker is ${status}; the message is kept until the worker is started again.`);
  if (options.output === 'json') await out.jsonLine({ worker_id: id, request_id, entry_id });
  else if (options.output === 'yaml') await out.item('yaml', { worker_id: id, request_id, entry_id });
  else if (!options.wait) await out.line(request_id);
  if (options.wait) await printTurn({ session, id, out }, from, request_id, options);
}

function toInputMessage(text: string | undefined, request_id: string, options: Options): object {
  const type = options.interrupt ? 'interrupt' : options.shutdown ? 'shutdown' : 'prompt';
  if ((type === 'prompt') !== (text !== undefined))
    throw usageError(type === 'prompt' ? 'The prompt is missing.' : `--${type} does not accept text.`);
  const content = text === '-' ? readText('-') : text;
  const deadline = options.deadline === undefined ? {} : { deadline_seconds: options.deadline };
  const more = { ...deadline, ...(options.retry && { retry: true }) };
  const message = type === 'prompt' ? { type, content, request_id, ...more } : { type, request_id };
  const read = inputMessage.safeParse(message);
  if (!read.success) throw usageError('The message was refused.', toIssues(read.error));
  return read.data;
}

/** Prints the output for the prompt until the agent has finished it; throws if it failed. */
async function printTurn(
  { session, id, out }: { session: Session; id: string; out: Context['out'] },
  from: string,
  requestId: string,
  { timeout, output }: Options,
): Promise<void> {
  const { signal } = timeoutSignal(timeout * 1000);
  const printer = new EntryPrinter(out, isData(output) ? output : 'text');
  for await (const { data } of session.follow(session.store.keys.output(id), from, signal)) {
    const entry = data as OutputMessage;
    if (entry.request_id !== requestId && entry.type !== 'gap' && entry.type !== 'exited') continue;
    await printer.print(entry, { id });
    if (COMPLETED.has(entry.type)) return;
    if (FAILED.has(entry.type)) throw new Error(`The prompt ${requestId} was not answered: ${entry.content}`);
  }
  throw new TimedOut(
    `The turn of ${requestId} did not end in ${timeout} s; \`wm logs -f ${id}\` shows further output.`,
  );
}
