import { Command } from 'commander';
import type { Context } from '../context.ts';
import { type Format, isData, streamOption } from '../print/output.ts';
import { EntryPrinter, type Style } from '../print/output-entry.ts';
import { poolIn } from '../refs.ts';
import { parseCount, parseSince } from '../values.ts';
import { followOutputs, type LogEntry, readOutputs } from './log-streams.ts';
import { openTargets } from './log-targets.ts';

interface Options {
  follow?: boolean;
  tail?: number;
  since?: string;
  timestamps?: boolean;
  prefix: boolean;
  raw?: boolean;
  output: Format;
}

export function logsCommand(context: Context): Command {
  return new Command('logs')
    .summary('show the output of workers')
    .description(
      "Show what agents wrote: stdout and stderr unchanged, everything else as [type] content. Lines of several workers start with the worker's name.",
    )
    .argument('<id...>', 'worker IDs, unique ID prefixes, or names; pool/NAME for all workers of a pool')
    .option('-f, --follow', 'follow new output until the workers end or Ctrl-C')
    .option('-n, --tail <n>', 'show only the last n entries of each worker', parseCount)
    .option(
      '--since <time>',
      'show only later entries: 10m, an RFC 3339 time, or the ID of an entry',
      parseSince,
    )
    .option('-t, --timestamps', 'show the time of each line')
    .option('--no-prefix', 'do not show the names of several workers')
    .option('--raw', 'only stdout and stderr, byte for byte, even on a terminal')
    .addOption(streamOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ wm logs -f --tail 20 3f2a\n  $ wm logs -f --since 10m pool/jobs\n\nWith -o json, one JSON object per line.',
    )
    .action((refs: string[], options: Options) => logs(context, refs, options));
}

async function logs({ session: open, out }: Context, refs: string[], options: Options): Promise<void> {
  const session = await open();
  const pooled = refs.some((ref) => poolIn(ref) !== undefined);
  const labels = options.prefix && (refs.length > 1 || pooled);
  const sources = await openTargets(session, refs, { range: options, labels });
  const known = await sources();
  const entries = options.follow
    ? followOutputs(session, sources, { endless: pooled })
    : readOutputs(session, known);
  const style: Style = isData(options.output) ? options.output : options.raw ? 'raw' : 'text';
  const printed = { timestamps: options.timestamps ?? false, labels: known.map(({ label }) => label) };
  await printEntries(entries, new EntryPrinter(out, style, printed));
}

/** Prints entries as they come. */
export async function printEntries(entries: AsyncIterable<LogEntry>, printer: EntryPrinter): Promise<void> {
  for await (const { source, entry } of entries) await printer.print(entry, source);
}
