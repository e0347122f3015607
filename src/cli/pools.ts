import { Command } from 'commander';
import type { PoolView } from '../model/index.ts';
import { PoolStore } from '../store/index.ts';
import type { Context } from './context.ts';
import { outputOption } from './output.ts';
import { withLoadErrorNotes } from './pool-load-errors.ts';
import { RESPONSE_SECONDS, requestManager, toFault } from './request-manager.ts';
import { formatTable } from './table.ts';
import { formatAgeSince } from './text.ts';
import { parseCount, parseSeconds } from './values.ts';
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
const WAIT_SECONDS = 300;

export function poolsCommand(context: Context): Command {
  const list = new Command('pools')
    .summary('list or delete pools')
    .description('List pools with their desired and actual numbers of workers.')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm pools\n  $ wm pools delete jobs')
    .action((options: { output: string }) => pools(context, options));
  return list.addCommand(
    new Command('delete')
      .alias('rm')
      .summary('delete pools')
      .description('Drain the workers of a pool, stop them and delete the pool. Queued tasks are kept.')
      .argument('<name...>', 'pool names')
      .option('--reason <text>', 'reason')
      .addOption(outputOption())
      .action((names: string[], options: { reason?: string; output: string }) =>
        deletePools(context, names, options),
      ),
  );
}

async function pools({ session, out, now }: Context, { output }: { output: string }): Promise<void> {
  const { redis, settings } = await session();
  const all = await new PoolStore(redis, settings.cell).views();
  if (output === 'json') return out.json(all);
  const rows = all.map(({ name, worker_type, spec, status, created_at }: PoolView) => [
    name,
    worker_type,
    modeText(spec.execution_mode),
    ...COUNTS.map((field) => status?.[field] ?? ''),
    status?.phase ?? 'accepted',
    formatAgeSince(created_at, now()),
    status?.reason ?? '',
  ]);
  await out.line(formatTable(COLUMNS, rows));
}

const modeText = (mode: PoolView['spec']['execution_mode']) =>
  typeof mode === 'string' ? mode : `docker:${mode.docker},direct:${mode.direct}`;

async function deletePools(
  context: Context,
  names: string[],
  { reason, output }: { reason?: string; output: string },
): Promise<void> {
  const session = await context.session();
  const answers = [];
  for (const pool of names) {
    const why = reason === undefined ? {} : { reason };
    const command = { command: 'delete_pool', request_id: context.newId(), pool, ...why };
    const answer = await requestManager(context, session, command, RESPONSE_SECONDS);
    if (!answer.success) throw toFault(answer);
    answers.push(answer);
    if (output !== 'json') await context.out.line(`pool/${pool} deleted`);
  }
  if (output === 'json') await context.out.json(answers);
}

export function scaleCommand(context: Context): Command {
  return new Command('scale')
    .summary('set the number of workers of a pool')
    .description('Set the number of workers of a fixed-size pool.')
    .argument('<pool>', 'pool name')
    .argument('<count>', 'number of workers', parseCount)
    .option('--wait', 'wait until it is ready')
    .option(
      '--timeout <time>',
      `how long to wait (default: ${RESPONSE_SECONDS}s, with --wait ${WAIT_SECONDS}s)`,
      parseSeconds,
    )
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm scale jobs 5 --wait')
    .action((pool: string, wanted: number, options: { wait?: boolean; timeout?: number; output: string }) =>
      scale(context, pool, wanted, options),
    );
}

async function scale(
  context: Context,
  pool: string,
  wanted: number,
  { wait, timeout, output }: { wait?: boolean; timeout?: number; output: string },
): Promise<void> {
  const session = await context.session();
  const limit = timeout ?? (wait ? WAIT_SECONDS : RESPONSE_SECONDS);
  const command = { command: 'scale', request_id: context.newId(), pool, count: wanted };
  const answer = await requestManager(context, session, command, limit);
  if (!answer.success) throw toFault(answer);
  if (wait) {
    const store = withLoadErrorNotes(new PoolStore(session.redis, session.settings.cell), context.out);
    await waitForPool(store, pool, limit);
  }
  if (output === 'json') await context.out.json(answer);
  else await context.out.line(`pool/${pool} scaled from ${answer.before} to ${wanted}`);
}
