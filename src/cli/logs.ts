import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { Fault, type OutputMessage } from '../model/index.ts';
import type { StreamLine } from '../store/index.ts';
import type { Context } from './context.ts';
import { outputOption } from './output.ts';
import { printEntry, type Style } from './output-entry.ts';
import type { Session } from './session.ts';
import { parseCount } from './values.ts';
import { waitFor } from './wait-for.ts';
import { explainMissing, resolveId } from './worker-id.ts';

/** Interval between reads of Redis. */
const RETRY_MS = 1000;

interface Options {
  follow?: boolean;
  tail?: number;
  raw?: boolean;
  output: string;
}

export function logsCommand(context: Context): Command {
  return new Command('logs')
    .summary("show a worker's output")
    .description(
      "Show what a worker's agent wrote: stdout and stderr unchanged, everything else as [type] content.",
    )
    .argument('<id>', 'worker ID, unique ID prefix, or name')
    .option('-f, --follow', 'follow new output until the worker ends or Ctrl-C')
    .option('-n, --tail <n>', 'show only the last n entries', parseCount)
    .option('--raw', 'only stdout and stderr, byte for byte, even on a terminal')
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ wm logs -f --tail 20 3f2a\n\nWith -o json, one JSON object per line.',
    )
    .action((ref: string, options: Options) => logs(context, ref, options));
}

async function logs({ session: open, out }: Context, ref: string, options: Options): Promise<void> {
  const session = await open();
  const id = await resolveId(session, ref);
  if (!(await session.store.status(id))) throw await explainMissing(session, id);
  const style = options.output === 'json' ? 'json' : options.raw ? 'raw' : 'text';
  const key = session.store.keys.output(id);
  const from = options.tail === undefined ? '0' : await session.before(key, options.tail);
  await printOutput({ session, id, out }, from, style, options.follow);
}

/**
 * Prints the entries of a worker's output stream after a given one; with `follow`, also new entries until the worker
 * has ended.
 */
export async function printOutput(
  { session, id, out }: { session: Session; id: string; out: Context['out'] },
  from: string,
  style: Style,
  follow = false,
): Promise<void> {
  const key = session.store.keys.output(id);
  let last = from;
  const print = async (lines: AsyncIterable<StreamLine>) => {
    for await (const line of lines) {
      last = line.id;
      await printEntry(out, line.data as OutputMessage, style);
    }
  };
  if (follow) await print(session.follow(key, last, endSignal(session, id)));
  // Also entries between the end of the worker and its detection here.
  await print(session.lines(key, last));
}

/**
 * Fires when the worker has ended for good and all its output is on the stream. An outage of Redis does not count as
 * the end.
 */
function endSignal(session: Session, id: string): AbortSignal {
  const ended = new AbortController();
  const look = async () => {
    while (!ended.signal.aborted) {
      try {
        await waitFor(session, id, 'ended', {});
        ended.abort();
      } catch (error) {
        if (error instanceof Fault) ended.abort(error);
        else await delay(RETRY_MS);
      }
    }
  };
  void look();
  return ended.signal;
}
