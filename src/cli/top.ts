import { Command, Option } from 'commander';
import { formatSize, type Summary, type UsageReading } from '../model/index.ts';
import type { Context } from './context.ts';
import { outputOption } from './output.ts';
import { formatTable } from './table.ts';
import { formatAgeSince, shortId } from './text.ts';
import { resolveId } from './worker-id.ts';

const COLUMNS = ['ID', 'NAME', 'TYPE', 'RUNTIME', 'STATUS', 'CPU %', 'MEMORY', 'PIDS', 'CHECKED'];
const ORDERS = ['cpu', 'memory', 'age'] as const;

interface Options {
  sort: (typeof ORDERS)[number];
  output: string;
}

export function topCommand(context: Context): Command {
  return new Command('top')
    .summary('show CPU and memory of workers')
    .description(
      'Show CPU (100 % is one core) and memory of running workers as of the last check (HEALTH_CHECK_INTERVAL).',
    )
    .argument('[id...]', 'filter by IDs, unique ID prefixes, or names')
    .addOption(new Option('--sort <order>', 'sort order').choices(ORDERS).default('cpu'))
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm top --sort memory')
    .action((ref: string[], options: Options) => top(context, ref, options));
}

async function top({ session: open, out, now }: Context, ref: string[], options: Options): Promise<void> {
  const session = await open();
  const ids = await Promise.all(ref.map((one) => resolveId(session, one)));
  const [summaries, usage] = await Promise.all([session.store.summaries(), session.store.usage()]);
  const alive = ({ status }: Summary) => status === 'STARTING' || status === 'RUNNING';
  const rows = summaries
    .filter((one) => (ids.length > 0 ? ids.includes(one.worker_id) : alive(one)))
    .map((one) => ({ ...one, ...NONE, ...usage[one.worker_id] }))
    .sort(by(options.sort));
  if (options.output === 'json') {
    return out.json(
      rows.map(({ worker_id, name, agent_type, runtime, status, at, ...row }) => ({
        worker_id,
        name: name ?? null,
        agent_type,
        runtime,
        status,
        cpu_percent: row.cpu_percent ?? null,
        memory_bytes: row.memory_bytes ?? null,
        pids: row.pids ?? null,
        checked_at: at || null,
      })),
    );
  }
  const shown = rows.map(({ cpu_percent: cpu, memory_bytes: memory, at, ...one }) => [
    shortId(one.worker_id),
    one.name ?? '',
    one.agent_type ?? '',
    one.runtime ?? '',
    one.status,
    cpu?.toFixed(1) ?? '',
    memory === undefined ? '' : formatSize(memory),
    one.pids ?? '',
    at ? `${formatAgeSince(at, now())} ago` : '',
  ]);
  await out.line(formatTable(COLUMNS, shown));
}

/** For a worker that has not been checked yet, or not recently. */
const NONE: Partial<UsageReading> & { at: string } = { at: '' };

function by(order: Options['sort']) {
  const weight = (one: Partial<UsageReading>) => (order === 'cpu' ? one.cpu_percent : one.memory_bytes) ?? -1;
  // The summaries are already ordered by creation, and the sort is stable.
  return (a: Partial<UsageReading>, b: Partial<UsageReading>) =>
    order === 'age' ? 0 : weight(b) - weight(a);
}
