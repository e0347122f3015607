import { Command } from 'commander';
import type { PoolView } from '../../model/index.ts';
import { PoolStore } from '../../store/index.ts';
import { RESPONSE_SECONDS, requestManager, timeoutOption, toFault } from '../api/request-manager.ts';
import type { Context } from '../context.ts';
import { type Listing, printListing, printResult } from '../print/listing.ts';
import { type Format, isData, outputOption } from '../print/output.ts';
import { formatAgeSince } from '../print/text.ts';
import { watchListing } from '../print/watch.ts';
import { toPoolName } from '../refs.ts';
import { parseCount } from '../values.ts';
import { withLoadErrorNotes } from './pool-load-errors.ts';
import { waitForPool } from './wait-for-pool.ts';

const COLUMNS = [
  'NAME',
  'TYPE',
  'MODE',
  'DESIRED',
  'READY',
  'BUSY',
  'IDLE',
  'WARM',
  'QUEUED',
  'UPDATED',
  'PHASE',
  'AGE',
  'REASON',
];
const COUNTS = ['desired', 'ready', 'busy', 'idle', 'warm', 'queued', 'updated'] as const;
const WIDE = ['CURRENT', 'STARTING', 'DRAINING', 'TEMPLATE', 'MESSAGE'];
const WAIT_SECONDS = 300;

export function poolsCommand(context: Context): Command {
  const list = new Command('pools')
    .summary('list or delete pools')
    .description('List pools with their desired and actual numbers of workers.')
    .option('-w, --watch', 'print changes until Ctrl-C')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm pools\n  $ wm pools delete jobs')
    .action((options: { watch?: boolean; output: Format }) => pools(context, options));
  return list.addCommand(
    new Command('delete')
      .alias('rm')
      .summary('delete pools')
      .description('Drain the workers of a pool, stop them and delete the pool. Queued tasks are kept.')
      .argument('<name...>', 'pool names')
      .option('--reason <text>', 'reason')
      .addOption(outputOption())
      .action((names: string[], options: { reason?: string; output: Format }) =>
        deletePools(context, names, options),
      ),
  );
}

async function pools(
  { session, out, now }: Context,
  { watch, output }: { watch?: boolean; output: Format },
): Promise<void> {
  const { redis, settings } = await session();
  const store = new PoolStore(redis, settings.cell);
  const list = async () => toListing(await store.views(), now());
  if (watch) await watchListing(out, output, list);
  else await printListing(out, output, await list());
}

function toListing(all: PoolView[], now: number): Listing {
  const rows = all.map((pool) => {
    const { name, worker_type, spec, status, created_at } = pool;
    const { current = '', starting = '', draining = '', revision = '', message = '' } = status ?? {};
    return {
      name: `pool/${name}`,
      value: pool,
      cells: [
        name,
        worker_type,
        modeText(spec.execution_mode),
        ...COUNTS.map((field) => status?.[field] ?? ''),
        status?.phase ?? 'accepted',
        formatAgeSince(created_at, now),
        status?.reason ?? '',
      ],
      wide: [current, starting, draining, revision, message],
    };
  });
  return { columns: COLUMNS, wide: WIDE, rows };
}

const modeText = (mode: PoolView['spec']['execution_mode']) =>
  typeof mode === 'string' ? mode : `docker:${mode.docker},direct:${mode.direct}`;

async function deletePools(
  context: Context,
  names: string[],
  { reason, output }: { reason?: string; output: Format },
): Promise<void> {
  const session = await context.session();
  const answers = [];
  for (const name of names) {
    const pool = toPoolName(name);
    const why = reason === undefined ? {} : { reason };
    const command = { command: 'delete_pool', request_id: context.newId(), pool, ...why };
    const answer = await requestManager(context, session, command, RESPONSE_SECONDS);
    if (!answer.success) throw toFault(answer);
    answers.push(answer);
    if (!isData(output)) await context.out.line(`pool/${pool}${output === 'name' ? '' : ' deleted'}`);
  }
  if (isData(output)) await context.out.data(output, answers);
}

export function scaleCommand(context: Context): Command {
  return new Command('scale')
    .summary('set the number of workers of a pool')
    .description('Set the number of workers of a fixed-size pool.')
    .argument('<pool>', 'pool name')
    .argument('<count>', 'number of workers', parseCount)
    .option('--wait', 'wait until it is ready')
    .addOption(timeoutOption(WAIT_SECONDS))
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm scale jobs 5 --wait')
    .action((pool: string, wanted: number, options: { wait?: boolean; timeout?: number; output: Format }) =>
      scale(context, pool, wanted, options),
    );
}

async function scale(
  context: Context,
  ref: string,
  wanted: number,
  { wait, timeout, output }: { wait?: boolean; timeout?: number; output: Format },
): Promise<void> {
  const session = await context.session();
  const pool = toPoolName(ref);
  const limit = timeout ?? (wait ? WAIT_SECONDS : RESPONSE_SECONDS);
  const command = { command: 'scale', request_id: context.newId(), pool, count: wanted };
  const answer = await requestManager(context, session, command, limit);
  if (!answer.success) throw toFault(answer);
  if (wait) {
    const store = withLoadErrorNotes(new PoolStore(session.redis, session.settings.cell), context.out);
    await waitForPool(store, pool, limit);
  }
  const text = `pool/${pool} scaled from ${answer.before} to ${wanted}`;
  await printResult(context.out, output, { value: answer, names: [`pool/${pool}`], text });
}
