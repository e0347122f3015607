import { Command, Option } from 'commander';
import { formatSize, type Summary, type UsageReading } from '../../model/index.ts';
import type { Context } from '../context.ts';
import { printListing } from '../print/listing.ts';
import { type Format, outputOption } from '../print/output.ts';
import { formatAgeSince, shortId } from '../print/text.ts';
import { resolveId } from '../worker-id.ts';

const COLUMNS = ['ID', 'NAME', 'TYPE', 'RUNTIME', 'STATUS', 'CPU %', 'MEMORY', 'PIDS', 'CHECKED'];
const ORDERS = ['cpu', 'memory', 'age'] as const;

interface Options {
  sort: (typeof ORDERS)[number];
  output: Format;
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
  const shown = rows.map(({ cpu_percent: cpu, memory_bytes: memory, pids, at, ...one }) => {
    const { worker_id, name, agent_type, runtime, status } = one;
    const figures = { cpu_percent: cpu ?? null, memory_bytes: memory ?? null, pids: pids ?? null };
    return {
      name: `worker/${worker_id}`,
      value: {
        worker_id,
        name: name ?? null,
        agent_type,
        runtime,
        status,
        ...figures,
        checked_at: at || null,
      },
      cells: [
        shortId(worker_id),
        name ?? '',
        agent_type ?? '',
        runtime ?? '',
        status,
        cpu?.toFixed(1) ?? '',
        memory === undefined ? '' : formatSize(memory),
        pids ?? '',
        at ? `${formatAgeSince(at, now())} ago` : '',
      ],
    };
  });
  await printListing(out, options.output, { columns: COLUMNS, rows: shown });
}

/** For a worker that has not been checked yet, or not recently. */
const NONE: Partial<UsageReading> & { at: string } = { at: '' };

function by(order: Options['sort']) {
  const weight = (one: Partial<UsageReading>) => (order === 'cpu' ? one.cpu_percent : one.memory_bytes) ?? -1;
  // The summaries are already ordered by creation, and the sort is stable.
  return (a: Partial<UsageReading>, b: Partial<UsageReading>) =>
    order === 'age' ? 0 : weight(b) - weight(a);
}
