import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { hasEnded, inputMessage } from '../../model/index.ts';
import type { Context } from '../context.ts';
import { EXIT, usageError } from '../exit.ts';
import { followOutputs } from '../logs/log-streams.ts';
import { printEntries } from '../logs/logs.ts';
import { type Format, isData, streamOption } from '../print/output.ts';
import { EntryPrinter } from '../print/output-entry.ts';
import type { Session } from '../session.ts';
import { explainMissing, resolveId } from '../worker-id.ts';

interface Options {
  stdin: boolean;
  tty?: boolean;
  output: Format;
}

export function attachCommand(context: Context): Command {
  return new Command('attach')
    .summary('talk to a worker')
    .description(
      'Show new output of a worker and send each line of standard input as a prompt, until the worker ends. Ctrl-C detaches.',
    )
    .argument('<id>', 'worker ID, unique ID prefix, or name')
    .argument('[terminal]', 'with -t: ID of a terminal, or unique prefix; by default the last one')
    .option('-t, --tty', 'show a terminal of the worker in this one, such as one of `wm exec -it`')
    .option('--no-stdin', 'show output only')
    .addOption(streamOption())
    .addHelpText(
      'after',
      "\nExamples:\n  $ wm attach 3f2a\n  $ wm attach -t 3f2a\n\nThe exit code is 1 if the worker failed; with -t, it is that of the terminal's program.",
    )
    .action(async (ref: string, terminal: string | undefined, options: Options) => {
      if (!options.tty) {
        if (terminal !== undefined) throw usageError('A terminal is attached to with -t.');
        return attach(context, ref, options);
      }
      const { attachTerminal } = await import('./terminal.ts');
      return attachTerminal(context, ref, terminal);
    });
}

async function attach(context: Context, ref: string, { stdin, output }: Options): Promise<void> {
  const { out } = context;
  const session = await context.session();
  const id = await resolveId(session, ref);
  const loaded = await session.store.load(id);
  if (!loaded) throw await explainMissing(session, id);
  const { status } = loaded.record.status ?? {};
  if (hasEnded(status)) throw new Error(`The worker ${ref} is ${status}. Start it with \`wm start ${ref}\`.`);
  const from = await session.lastId(session.store.keys.output(id));
  const stopReading = stdin ? sendLines(context, session, id) : () => {};
  try {
    const printer = new EntryPrinter(out, isData(output) ? output : 'text');
    await printEntries(
      followOutputs(session, async () => [{ id, from }]),
      printer,
    );
  } finally {
    stopReading();
  }
  if ((await session.store.status(id))?.status?.status === 'FAILED') context.exitWith(EXIT.failed);
}

/** Sends the lines as prompts, in order. A line that cannot be sent is reported, and the next one is tried. */
export function sendLines({ out, newId }: Context, session: Session, id: string): () => void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (content) => {
    const message = inputMessage.safeParse({ type: 'prompt', content, request_id: newId() });
    if (!message.success) return out.note('note: a line was too long and was not sent.');
    session.redis
      .xadd(session.store.keys.input(id), '*', 'data', JSON.stringify(message.data))
      .catch((error: Error) => out.note(`note: not sent: ${error.message}`));
  });
  return () => {
    lines.close();
    process.stdin.unref?.();
  };
}
