import { Command } from 'commander';
import { type LifecycleEvent, readableMessage } from '../model/index.ts';
import type { Context } from './context.ts';
import { mergeStreams, type TaggedLine } from './merge.ts';
import { outputOption } from './output.ts';
import { shortId, toOneLine } from './text.ts';
import { parseCount } from './values.ts';
import { explainMissing, resolveId } from './worker-id.ts';

interface Options {
  follow?: boolean;
  tail?: number;
  output: string;
}

export function eventsCommand(context: Context): Command {
  return new Command('events')
    .summary('show the history of workers')
    .description(
      'Show what the manager observed, decided and did, for one worker or for all in order of time.',
    )
    .argument('[id]', 'worker ID, unique ID prefix, or name')
    .option('-f, --follow', 'follow new events until Ctrl-C')
    .option('--tail <n>', 'show only the last n events', parseCount)
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm events -f 3f2a\n\nWith -o json, one JSON object per line.')
    .action((ref: string | undefined, options: Options) => events(context, ref, options));
}

async function events(
  { session: open, out }: Context,
  ref: string | undefined,
  options: Options,
): Promise<void> {
  const session = await open();
  const one = ref === undefined ? undefined : await resolveId(session, ref);
  if (one !== undefined && !(await session.store.status(one))) throw await explainMissing(session, one);
  const print = ({ worker_id, data }: TaggedLine) => {
    const event = data as LifecycleEvent;
    return options.output === 'json'
      ? out.jsonLine({ worker_id, ...event })
      : out.line(eventLine(event, one === undefined ? worker_id : undefined));
  };
  const ids = async () => (one === undefined ? await session.store.ids() : [one]);
  for await (const line of mergeStreams(session, ids, options)) await print(line);
}

/** Formats a history line for people. */
export function eventLine(event: LifecycleEvent, workerId?: string): string {
  const { timestamp, status, phase, reason, message, actions } = event;
  const words = [
    timestamp,
    workerId && shortId(workerId),
    `${status}/${phase}`,
    reason,
    readableMessage(message),
    actions?.length > 0 && `→ ${actions.join(', ')}`,
  ];
  return toOneLine(words.filter(Boolean).join('  '), 1000);
}
