import { Command } from 'commander';
import { planStatus as observed } from '../../commands/status.ts';
import { type CommandResponse, formatSize, type StatusRecord } from '../../model/index.ts';
import { toFault } from '../api/request-manager.ts';
import type { Context } from '../context.ts';
import { formatListing, type Listing, printListing } from '../print/listing.ts';
import { type Format, outputOption } from '../print/output.ts';
import { formatAgeSince, shortId } from '../print/text.ts';
import { watchListing } from '../print/watch.ts';
import type { Session } from '../session.ts';
import { resolveId } from '../worker-id.ts';

const COLUMNS = ['ID', 'STATUS', 'PHASE', 'REASON', 'RESTARTS', 'EXIT', 'IP', 'STARTED', 'MESSAGE'];
const WIDE = ['INCARNATION', 'FINISHED', 'CPU %', 'MEMORY'];

interface Options {
  watch?: boolean;
  output: Format;
}

type Status = StatusRecord & { cpu_percent: number | null; memory_bytes: number | null };

export function statusCommand(context: Context): Command {
  return new Command('status')
    .summary('show the status of a worker')
    .description('Show the observed status of a worker, including recently deleted ones.')
    .argument('<id>', 'worker ID, unique ID prefix, or name')
    .option('-w, --watch', 'print changes until the worker is deleted or Ctrl-C')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm status 3f2a -o json')
    .action((ref: string, options: Options) => status(context, ref, options));
}

async function status(context: Context, ref: string, { watch, output }: Options): Promise<void> {
  const { out, now } = context;
  const session = await context.session();
  const id = await resolveId(session, ref);
  if (!watch) {
    const status = await readStatus(context, session, id);
    const listing = toListing(id, status, now());
    await printListing(out, output, listing, { single: true });
    // A narrow terminal has no room for it in the table.
    const isCut = output === 'table' && !formatListing(listing, output, out.columns).includes(status.message);
    return isCut ? out.line(`\n${status.message}`) : undefined;
  }
  let deleted = false;
  await watchListing(out, output, async () => {
    if (deleted) return undefined;
    const status = await readStatus(context, session, id);
    deleted = status.phase === 'deleted';
    return toListing(id, status, now());
  });
}

/** Builds the command's response here, so that no manager is necessary. */
async function readStatus({ newId }: Context, session: Session, worker_id: string): Promise<Status> {
  const command = { command: 'status', request_id: newId(), worker_id } as const;
  const { answers } = await observed(command, session);
  const { request_id: _, command: __, success, ...response } = JSON.parse(answers.ok) as CommandResponse;
  if (!success) throw toFault(JSON.parse(answers.ok));
  return response as unknown as Status;
}

function toListing(id: string, seen: Status, now: number): Listing {
  const { cpu_percent: cpu, memory_bytes: memory, finished_at } = seen;
  const row = {
    name: `worker/${id}`,
    value: seen,
    cells: [
      shortId(id),
      seen.status,
      seen.phase,
      seen.reason,
      seen.restarts,
      seen.exit_code ?? '',
      seen.ip_address ?? '',
      formatAgeSince(seen.started_at, now),
      seen.message,
    ],
    wide: [
      seen.incarnation,
      finished_at ? `${formatAgeSince(finished_at, now)} ago` : '',
      cpu?.toFixed(1) ?? '',
      memory === null ? '' : formatSize(memory),
    ],
  };
  return { columns: COLUMNS, wide: WIDE, rows: [row] };
}
