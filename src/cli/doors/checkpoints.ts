/** `wm checkpoint`, `checkpoints` and `fork`: save workspaces, and start workers from them. */
import { Command } from 'commander';
import { toForkFields } from '../../client/fork.ts';
import type { CheckpointView } from '../../model/index.ts';
import { formatSize } from '../../model/values/units.ts';
import { callApi, checkpointOf, findCheckpoint, takeCheckpoint } from '../api/checkpoint-api.ts';
import { requireApi, toWorkerPath } from '../api/door-api.ts';
import { readManagerList } from '../api/manager-api.ts';
import type { Context } from '../context.ts';
import { type Listing, printListing } from '../print/listing.ts';
import { type Format, outputOption } from '../print/output.ts';
import { formatAgeSince, shortId } from '../print/text.ts';
import { readTextOrFile } from '../values.ts';

const COLUMNS = ['CHECKPOINT', 'WORKER', 'NAME', 'TRIGGER', 'SIZE', 'CONVERSATION', 'AGE', 'EXPIRES'];
const WIDE = ['INCARNATION', 'SHA256', 'WARNINGS'];

export function checkpointCommands(context: Context): Command[] {
  return [
    new Command('checkpoint')
      .summary('save the workspace of a worker')
      .description(
        'Save the workspace of a running worker, without what .workerignore names, and print the ID of the checkpoint.',
      )
      .argument('<id>', 'worker ID, unique ID prefix, or name')
      .addOption(outputOption())
      .addHelpText('after', '\nExample:\n  $ wm checkpoint fix')
      .action((ref: string, options: { output: Format }) => take(context, ref, options)),
    createListCommand(context),
    new Command('fork')
      .summary('create a worker that starts from a checkpoint')
      .description(
        'Create a worker with the spec, the files and the conversation of another one, and print its ID. Of a running worker, a checkpoint is taken now; of one that has ended, or was deleted, the newest is used. For other changes to the spec, use `wm create --from-checkpoint`.',
      )
      .argument('<id>', 'worker ID, unique ID prefix or name, or checkpoint/ID')
      .option('--name <name>', 'name, unique among running workers')
      .option('--prompt <text|@file>', 'first prompt', readTextOrFile)
      .option('--wait', 'wait until it is ready')
      .addHelpText('after', '\nExample:\n  $ wm fork fix --name fix-2 --wait')
      .action((ref: string, options: ForkOptions) => fork(context, ref, options)),
  ];
}

function createListCommand(context: Context): Command {
  const list = new Command('checkpoints')
    .summary('list or delete checkpoints')
    .description('List the checkpoints of a worker, or all of them, newest first.')
    .argument('[id]', 'worker ID, unique ID prefix, or name')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm checkpoints fix')
    .action((ref: string | undefined, options: { output: Format }) => print(context, ref, options));
  list
    .command('delete')
    .alias('rm')
    .summary('delete checkpoints')
    .description('Delete checkpoints, and print their IDs.')
    .argument('<id...>', 'IDs of checkpoints, or unique prefixes')
    .addHelpText('after', '\nExample:\n  $ wm checkpoints delete 3f2a')
    .action((refs: string[]) => remove(context, refs));
  return list;
}

async function take(context: Context, ref: string, { output }: { output: Format }): Promise<void> {
  const api = requireApi(context);
  const checkpoint = await takeCheckpoint(api, await toWorkerPath(api, ref));
  for (const warning of checkpoint.warnings ?? []) context.out.note(`warning: not saved: ${warning}`);
  if (output === 'table') return context.out.line(checkpoint.checkpoint_id);
  return printListing(context.out, output, toListing([checkpoint], context.now()), { single: true });
}

async function print(
  context: Context,
  ref: string | undefined,
  { output }: { output: Format },
): Promise<void> {
  const api = requireApi(context);
  const path = ref === undefined ? '/v1' : await toWorkerPath(api, ref);
  const all = await readManagerList<CheckpointView>(api, `${path}/checkpoints?limit=1000`);
  await printListing(context.out, output, toListing(all, context.now()));
}

const toListing = (all: CheckpointView[], now: number): Listing => ({
  columns: COLUMNS,
  wide: WIDE,
  rows: all.map((one) => ({
    name: `checkpoint/${one.checkpoint_id}`,
    value: one,
    cells: [
      shortId(one.checkpoint_id),
      shortId(one.worker_id),
      one.worker_name ?? '-',
      one.trigger,
      formatSize(one.bytes),
      one.conversation ? 'yes' : 'no',
      formatAgeSince(one.created_at, now),
      one.expires_at === undefined
        ? '-'
        : `in ${formatAgeSince(new Date(now).toISOString(), Date.parse(one.expires_at))}`,
    ],
    wide: [one.incarnation, one.sha256, one.warnings?.join('; ') ?? '-'],
  })),
});

async function remove(context: Context, refs: string[]): Promise<void> {
  const api = requireApi(context);
  for (const ref of refs) {
    const { checkpoint_id } = await findCheckpoint(api, ref);
    await callApi(api, 'DELETE', `/v1/checkpoints/${checkpoint_id}`);
    await context.out.line(checkpoint_id);
  }
}

interface ForkOptions {
  name?: string;
  prompt?: string;
  wait?: boolean;
}

async function fork(context: Context, ref: string, { name, prompt, wait }: ForkOptions): Promise<void> {
  const api = requireApi(context);
  const { checkpoint } = await checkpointOf(api, ref);
  const fields = {
    ...toForkFields(checkpoint.checkpoint_id, checkpoint.spec),
    ...(name !== undefined && { name }),
    ...(prompt !== undefined && { prompt }),
  };
  const created = await callApi<{ worker_id: string; warnings?: string[] }>(
    api,
    'POST',
    `/v1/workers${wait ? '?wait=ready&timeout_seconds=600' : ''}`,
    fields,
  );
  for (const warning of created.warnings ?? []) context.out.note(`warning: ${warning}`);
  await context.out.line(created.worker_id);
}
