import { Command } from 'commander';
import pLimit from 'p-limit';
import { errorMessage, hasEnded, type Summary } from '../../model/index.ts';
import { RESPONSE_SECONDS, requestManager, toFault } from '../api/request-manager.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit.ts';
import { printListing } from '../print/listing.ts';
import { type Format, isData, outputOption } from '../print/output.ts';
import type { Session } from '../session.ts';
import { addItem, parseSeconds } from '../values.ts';
import { confirm } from './confirm.ts';
import { FILTER_HELP, parseFilter } from './worker-filter.ts';

/** Number of deletes that wait for an answer at once; each has its own connection. */
const CONCURRENCY = 16;

interface Options {
  filter?: string[];
  olderThan?: number;
  force?: boolean;
  dryRun?: boolean;
  output: Format;
}

export function pruneCommand(context: Context): Command {
  return new Command('prune')
    .summary('delete workers that have ended')
    .description('Delete the records of workers that have ended, and print their IDs. Asks for confirmation.')
    .option('--filter <filter>', FILTER_HELP, addItem)
    .option(
      '--older-than <time>',
      'only workers that were created before that time, such as 24h',
      parseSeconds,
    )
    .option('--force', 'do not ask for confirmation')
    .option('--dry-run', 'show what would be deleted')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm prune --filter status=FAILED --older-than 24h --force')
    .action((options: Options) => prune(context, options));
}

async function prune(context: Context, options: Options): Promise<void> {
  const { out } = context;
  const keep = parseFilter(options.filter ?? [], true);
  const session = await context.session();
  const before = context.now() - (options.olderThan ?? 0) * 1000;
  const ended = (await session.store.summaries()).filter(
    (worker) => isPrunable(worker) && keep(worker) && Date.parse(worker.created_at) <= before,
  );
  if (ended.length === 0) {
    if (isData(options.output)) await out.data(options.output, []);
    return out.note('note: no worker that has ended matches.');
  }
  if (options.dryRun) return print(context, ended, options.output);
  const count = ended.length === 1 ? '1 worker that has' : `${ended.length} workers that have`;
  if (!options.force && !(await confirm(out, `Delete ${count} ended?`))) return context.exitWith(EXIT.failed);
  const limit = pLimit(CONCURRENCY);
  const deleted = await Promise.all(ended.map((worker) => limit(() => remove(context, session, worker))));
  await print(
    context,
    ended.filter((_, at) => deleted[at]),
    options.output,
  );
  if (!deleted.every(Boolean)) context.exitWith(EXIT.failed);
}

/** It has ended, no command has started it again, and the manager has a record of it. */
const isPrunable = ({ status, desired, external }: Summary) =>
  !external && hasEnded(status) && desired !== 'deleted';

/** Deletes a worker; a failure does not stop the others. */
async function remove(context: Context, session: Session, { worker_id }: Summary): Promise<boolean> {
  try {
    const command = { command: 'delete', worker_id, request_id: context.newId(), reason: 'wm prune' };
    const answer = await requestManager(context, session, command, RESPONSE_SECONDS);
    if (!answer.success) throw toFault(answer);
    return true;
  } catch (error) {
    context.out.note(`error: ${worker_id}: ${errorMessage(error)}`);
    return false;
  }
}

async function print({ out }: Context, workers: Summary[], output: Format): Promise<void> {
  if (output === 'table') return out.line(workers.map(({ worker_id }) => worker_id).join('\n'));
  const rows = workers.map((worker) => {
    const { worker_id, name = '', status, reason } = worker;
    return { name: `worker/${worker_id}`, value: worker, cells: [worker_id, name, status, reason] };
  });
  await printListing(out, output, { columns: ['ID', 'NAME', 'STATUS', 'REASON'], rows });
}
