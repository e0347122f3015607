import { Command } from 'commander';
import type { Summary } from '../model/index.ts';
import { WORKER_STATUSES } from '../model/index.ts';
import type { Context } from './context.ts';
import { usageError } from './exit.ts';
import { outputOption } from './output.ts';
import { formatTable } from './table.ts';
import { formatAgeSince, shortId } from './text.ts';
import { addItem } from './values.ts';

const COLUMNS = ['ID', 'NAME', 'TYPE', 'RUNTIME', 'STATUS', 'PHASE', 'RESTARTS', 'AGE', 'REASON'];
const FILTERS = ['status', 'label', 'name'];

interface Options {
  all?: boolean;
  quiet?: boolean;
  trunc: boolean;
  filter?: string[];
  output: string;
}

export function psCommand(context: Context): Command {
  return new Command('ps')
    .alias('ls')
    .summary('list workers')
    .description('List workers that are starting or running.')
    .option('-a, --all', 'include workers that have ended')
    .option('-q, --quiet', 'print only IDs')
    .option('--no-trunc', 'print full IDs')
    .option(
      '--filter <filter>',
      'status=FAILED, label=NAME or label=NAME=VALUE, name=NAME; repeatable',
      addItem,
    )
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm ps -a --filter status=FAILED --filter label=team=blue')
    .action((options: Options) => ps(context, options));
}

async function ps({ session, out, now }: Context, options: Options): Promise<void> {
  const keep = parseFilter(options.filter ?? [], options.all ?? false);
  const open = await session();
  const all = await open.store.summaries();
  const workers = all.filter(keep);
  if (options.output === 'json') return out.json(workers);
  const id = ({ worker_id }: Summary) => (options.trunc ? shortId(worker_id) : worker_id);
  if (options.quiet) return workers.length > 0 ? out.line(workers.map(id).join('\n')) : undefined;
  const places = getQueuePositions(all);
  const rows = workers.map((worker) => [
    id(worker),
    worker.name ?? '',
    worker.agent_type ?? '',
    worker.runtime ?? '',
    worker.status,
    worker.phase,
    worker.restarts,
    formatAgeSince(worker.created_at, now()),
    places.get(worker.worker_id) ?? formatReason(worker),
  ]);
  await out.line(formatTable(COLUMNS, rows));
  if (!(await open.leader()))
    out.note(
      `note: no manager leads the cell ${open.settings.cell}, so this is the last recorded state. Start one with \`wm serve\`.`,
    );
}

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

/**
 * Like docker's filters: values of the same key are alternatives, different keys must all match. A status filter
 * includes ended workers.
 */
export function parseFilter(filters: string[], all: boolean): (worker: Summary) => boolean {
  const byKey = new Map<string, string[]>();
  for (const text of filters) {
    const at = text.indexOf('=');
    const key = text.slice(0, at);
    const value = text.slice(at + 1);
    if (!FILTERS.includes(key) || value === '')
      throw usageError(`Unknown filter ${text}. Use ${FILTERS.map((name) => `${name}=…`).join(', ')}.`);
    if (key === 'status' && !(WORKER_STATUSES as readonly string[]).includes(value.toUpperCase()))
      throw usageError(`Unknown status ${value}. Use one of ${WORKER_STATUSES.join(', ')}.`);
    byKey.set(key, [...(byKey.get(key) ?? []), value]);
  }
  const alive = ({ status }: Summary) => status === 'STARTING' || status === 'RUNNING';
  return (worker) =>
    (all || byKey.has('status') || alive(worker)) &&
    [...byKey].every(([key, values]) =>
      values[key === 'label' ? 'every' : 'some']((value) => has(worker, key, value)),
    );
}

function has(worker: Summary, key: string, value: string): boolean {
  if (key === 'status') return worker.status === value.toUpperCase();
  if (key === 'name') return worker.name === value;
  const at = value.indexOf('=');
  const [name, wanted] = at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
  const found = worker.labels?.[name];
  return found !== undefined && (wanted === undefined || found === wanted);
}
