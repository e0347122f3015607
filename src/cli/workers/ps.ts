import { Command } from 'commander';
import type { Summary } from '../../model/index.ts';
import type { Context } from '../context.ts';
import { type Listing, printListing } from '../print/listing.ts';
import { type Format, outputOption } from '../print/output.ts';
import { formatAgeSince, shortId } from '../print/text.ts';
import { watchListing } from '../print/watch.ts';
import type { Session } from '../session.ts';
import { addItem } from '../values.ts';
import { listWorkers } from './list-workers.ts';
import { FILTER_HELP, parseFilter } from './worker-filter.ts';

const COLUMNS = ['ID', 'NAME', 'TYPE', 'RUNTIME', 'STATUS', 'PHASE', 'RESTARTS', 'AGE', 'REASON'];
const WIDE = ['DESIRED', 'INCARNATION', 'POOL', 'CREATED', 'LABELS'];
/** With `--watch`, all workers are read again after this time even if no record has changed: nodes have none. */
const REREAD_MS = 5000;

interface Options {
  all?: boolean;
  quiet?: boolean;
  trunc: boolean;
  filter?: string[];
  watch?: boolean;
  output: Format;
}

export function psCommand(context: Context): Command {
  return new Command('ps')
    .alias('ls')
    .summary('list workers')
    .description('List workers that are starting or running.')
    .option('-a, --all', 'include workers that have ended')
    .option('-q, --quiet', 'print only IDs')
    .option('--no-trunc', 'print full IDs')
    .option('--filter <filter>', FILTER_HELP, addItem)
    .option('-w, --watch', 'print changes until Ctrl-C')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm ps -a --filter status=FAILED --filter label=team=blue')
    .action((options: Options) => ps(context, options));
}

async function ps(context: Context, options: Options): Promise<void> {
  const { session, out, now } = context;
  const keep = parseFilter(options.filter ?? [], options.all ?? false);
  const toRows = (all: readonly Summary[]) => toListing(all, keep, options, now());
  if (options.watch) {
    const read = cachedSummaries(await session(), now);
    return watchListing(out, options.output, async () => toRows(await read()));
  }
  const { workers, unled } = await listWorkers(context);
  const listing = toRows(workers);
  if (options.quiet) {
    const ids = listing.rows.map(({ cells: [id] }) => id);
    return ids.length > 0 ? out.line(ids.join('\n')) : undefined;
  }
  await printListing(out, options.output, listing);
  if (isForPeople(options.output) && unled !== undefined)
    out.note(
      `note: no manager leads the cell ${unled}, so this is the last recorded state. Start one with \`wm serve\`.`,
    );
}

const isForPeople = (format: Format) => format === 'table' || format === 'wide';

/** Reads all workers, but only if a record has changed: with thousands of them, that costs more than a counter. */
function cachedSummaries({ redis, store }: Session, now: () => number): () => Promise<Summary[]> {
  let last: { revision: string | null; at: number; all: Summary[] } | undefined;
  return async () => {
    const revision = await redis.get(store.keys.revision);
    if (last?.revision !== revision || now() - last.at > REREAD_MS)
      last = { revision, at: now(), all: await store.summaries() };
    return last.all;
  };
}

function toListing(
  all: readonly Summary[],
  keep: (worker: Summary) => boolean,
  { trunc }: Options,
  now: number,
): Listing {
  const places = getQueuePositions(all);
  const rows = all.filter(keep).map((worker) => ({
    name: `worker/${worker.worker_id}`,
    value: worker,
    cells: [
      trunc ? shortId(worker.worker_id) : worker.worker_id,
      worker.name ?? '',
      worker.agent_type ?? '',
      worker.runtime ?? '',
      worker.status,
      worker.phase,
      worker.restarts,
      formatAgeSince(worker.created_at, now),
      places.get(worker.worker_id) ?? formatReason(worker),
    ],
    wide: [worker.desired, worker.incarnation, worker.pool ?? '', worker.created_at, formatLabels(worker)],
  }));
  return { columns: COLUMNS, wide: WIDE, rows };
}

const formatLabels = ({ labels = {} }: Summary) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');

/** Like `docker ps`: `Error (1)`. A worker that restarts keeps the exit code of its last body. */
const formatReason = ({ reason, exit_code }: Summary) =>
  reason !== '' && exit_code ? `${reason} (${exit_code})` : reason;

/** The reason of workers that wait to start, with their positions: `Queued (3 of 40)`. The oldest starts first. */
export function getQueuePositions(all: readonly Summary[]): Map<string, string> {
  const queues = new Map<string, string[]>();
  for (const { worker_id, phase, runtime = '' } of all) {
    if (phase !== 'queued') continue;
    const queue = queues.get(runtime) ?? [];
    queue.push(worker_id);
    queues.set(runtime, queue);
  }
  const entries = [...queues.values()].flatMap((ids) =>
    ids.map((id, at) => [id, `Queued (${at + 1} of ${ids.length})`] as const),
  );
  return new Map(entries);
}
