import { Command } from 'commander';
import type { LifecycleEvent } from '../model/index.ts';
import { HIDDEN } from '../telemetry/redact.ts';
import type { Context } from './context.ts';
import { eventLine } from './events.ts';
import { outputOption } from './output.ts';
import { formatFields } from './table.ts';
import { formatAgeSince } from './text.ts';
import { explainMissing, resolveId } from './worker-id.ts';

/** Number of history lines to show. */
const EVENTS = 10;

export function describeCommand(context: Context): Command {
  return new Command('describe')
    .summary('show details of a worker')
    .description(
      'Show the desired state, observed status and recent events of a worker. Values of environment variables are hidden.',
    )
    .argument('<id>', 'worker ID, unique ID prefix, or name')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm describe 3f2a')
    .action((ref: string, options: { output: string }) => describe(context, ref, options));
}

async function describe({ session: open, out, now }: Context, ref: string, options: { output: string }) {
  const session = await open();
  const id = await resolveId(session, ref);
  const loaded = await session.store.load(id);
  if (!loaded) throw await explainMissing(session, id);
  const { record, heartbeat } = loaded;
  const { env, ...spec } = record.desired.spec;
  const names = env && Object.fromEntries(Object.keys(env).map((name) => [name, HIDDEN]));
  const events: LifecycleEvent[] = [];
  const key = session.store.keys.events(id);
  for await (const { data } of session.lines(key, await session.before(key, EVENTS)))
    events.push(data as LifecycleEvent);
  const response = {
    worker_id: id,
    ...record.desired,
    spec: names ? { ...spec, env: names } : spec,
    status: record.status ?? null,
    heartbeat: heartbeat ?? null,
    events,
  };
  if (options.output === 'json') return out.json(response);
  const section = (name: string, body: string) => body && `${name}\n${body.replace(/^/gm, '  ')}`;
  const { desired, generation, created_at, request_id } = record.desired;
  const parts = [
    formatFields([
      ['Id', id],
      ['Desired', `${desired} (generation ${generation})`],
      ['Created', `${created_at} (${formatAgeSince(created_at, now())} ago) by request ${request_id}`],
    ]),
    section('Spec', formatFields(toPairs(response.spec))),
    section('Status', record.status ? formatFields(toPairs(record.status)) : 'not reconciled yet'),
    section('Heartbeat', heartbeat ? formatFields(toPairs(heartbeat)) : 'none yet'),
    section('Events', events.map((event) => eventLine(event)).join('\n') || 'none yet'),
  ];
  await out.line(parts.join('\n\n'));
}

/** Maps and lists in the syntax of the command line. */
function toPairs(record: object): [string, string | undefined][] {
  return Object.entries(record).map(([name, value]) => {
    if (value === undefined || value === null) return [name, undefined];
    if (name === 'command_line') return [name, (value as string[]).map(quoted).join(' ')];
    if (Array.isArray(value)) return [name, value.join(', ')];
    if (typeof value === 'object')
      return [
        name,
        Object.entries(value)
          .map(([key, inner]) => `${key}=${inner}`)
          .join(' '),
      ];
    return [name, String(value)];
  });
}

const quoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
