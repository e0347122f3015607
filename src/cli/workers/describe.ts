import { Command } from 'commander';
import type { LifecycleEvent } from '../../model/index.ts';
import type { Context } from '../context.ts';
import { eventLine } from '../logs/events.ts';
import { describePool } from '../pools/describe-pool.ts';
import { formatSection, toPairs } from '../print/fields.ts';
import { hideEnv } from '../print/hide-env.ts';
import { printResult } from '../print/listing.ts';
import { type Format, outputOption } from '../print/output.ts';
import { formatFields } from '../print/table.ts';
import { formatAgeSince } from '../print/text.ts';
import { poolIn } from '../refs.ts';
import { explainMissing, resolveId } from '../worker-id.ts';

/** Number of history lines to show. */
const EVENTS = 10;

export function describeCommand(context: Context): Command {
  return new Command('describe')
    .summary('show details of a worker or pool')
    .description(
      'Show the desired state, observed status and recent events of a worker or pool. Values of environment variables are hidden.',
    )
    .argument('<id>', 'worker ID, unique ID prefix, or name; pool/NAME for a pool')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm describe 3f2a\n  $ wm describe pool/jobs')
    .action((ref: string, { output }: { output: Format }) => {
      const pool = poolIn(ref);
      return pool === undefined ? describe(context, ref, output) : describePool(context, pool, output);
    });
}

async function describe({ session: open, out, now }: Context, ref: string, output: Format): Promise<void> {
  const session = await open();
  const id = await resolveId(session, ref);
  const loaded = await session.store.load(id);
  if (!loaded) throw await explainMissing(session, id);
  const { record, heartbeat } = loaded;
  const events: LifecycleEvent[] = [];
  const key = session.store.keys.events(id);
  for await (const { data } of session.lines(key, await session.before(key, EVENTS)))
    events.push(data as LifecycleEvent);
  const response = {
    worker_id: id,
    ...record.desired,
    spec: hideEnv(record.desired.spec),
    status: record.status ?? null,
    heartbeat: heartbeat ?? null,
    events,
  };
  const { desired, generation, created_at, request_id } = record.desired;
  const parts = [
    formatFields([
      ['Id', id],
      ['Desired', `${desired} (generation ${generation})`],
      ['Created', `${created_at} (${formatAgeSince(created_at, now())} ago) by request ${request_id}`],
    ]),
    formatSection('Spec', formatFields(toPairs(response.spec))),
    formatSection('Status', record.status ? formatFields(toPairs(record.status)) : 'not reconciled yet'),
    formatSection('Heartbeat', heartbeat ? formatFields(toPairs(heartbeat)) : 'none yet'),
    formatSection('Events', events.map((event) => eventLine(event)).join('\n') || 'none yet'),
  ];
  await printResult(out, output, { value: response, names: [`worker/${id}`], text: parts.join('\n\n') });
}
