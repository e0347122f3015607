import { Command } from 'commander';
import { errorMessage, Fault } from '../../model/index.ts';
import { type Runtime, RuntimeDown } from '../../runtimes/runtime.ts';
import type { Context } from '../context.ts';
import { printResult } from '../print/listing.ts';
import { type Format, outputOption } from '../print/output.ts';

/** The result for one runtime. */
interface Outcome {
  runtime: string;
  removed_bodies: number;
  /** Why its resources could not be removed: it does not answer. */
  skipped?: string;
}

/** `dismantle`: removes what a cell leaves on this machine after its managers and workers have ended. */
export function dismantleCommand(context: Context): Command {
  return new Command('dismantle')
    .summary('remove what this cell created on the machine')
    .description(
      "Remove this cell's Docker network and the folders of its direct workers. Stop its private Redis, if it has one. Fails while a manager leads the cell, or bodies or workspaces exist. Keeps records in Redis and images.",
    )
    .option('--force', 'stop and remove remaining bodies, and delete workspaces, first')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ CELL=old wm dismantle')
    .action((options: { force?: boolean; output: Format }) => dismantle(context, options));
}

async function dismantle(
  context: Context,
  { force = false, output }: { force?: boolean; output: Format },
): Promise<void> {
  const { out, deps } = context;
  const { cell } = await deps.settings();
  await rejectWhileLed(context);
  const outcomes: Outcome[] = [];
  for (const runtime of (await context.runtimes()).all) {
    try {
      const removed_bodies = await dismantleRuntime(runtime, cell, force);
      outcomes.push({ runtime: runtime.name, removed_bodies });
    } catch (error) {
      if (!(error instanceof RuntimeDown)) throw error;
      outcomes.push({ runtime: runtime.name, removed_bodies: 0, skipped: errorMessage(error) });
    }
  }
  const [first] = outcomes;
  if (first?.skipped && outcomes.every(({ skipped }) => skipped))
    throw new Fault('unavailable', `Nothing could be removed: ${first.skipped}`);
  for (const { runtime, skipped } of outcomes)
    if (skipped) out.note(`note: ${runtime} does not answer, so its resources remain: ${skipped}`);
  if (await deps.endPrivateRedis()) out.note('note: the private Redis has stopped; its data are kept');
  const [value, name] = [{ cell, runtimes: outcomes }, `cell/${cell}`];
  await printResult(out, output, { value, names: [name], text: `${name} dismantled` });
}

/** A manager would recreate everything. If Redis has been removed too, no manager leads. */
async function rejectWhileLed(context: Context): Promise<void> {
  let leader: { owner: string } | undefined;
  try {
    leader = await (await context.session()).leader();
  } catch (error) {
    context.out.note(`note: cannot check whether a manager leads: ${errorMessage(error)}`);
    return;
  }
  if (leader) throw new Fault('conflict', `The manager ${leader.owner} leads this cell. Stop it first.`);
}

async function dismantleRuntime(runtime: Runtime, cell: string, force: boolean): Promise<number> {
  const bodies = await runtime.list();
  if (bodies.length > 0 && !force)
    throw new Fault(
      'conflict',
      `The cell ${cell} still has ${bodies.length} ${bodies.length === 1 ? 'body' : 'bodies'} on ${runtime.name}. Delete the workers with a running manager, or use --force to end them.`,
    );
  const workspaces = await runtime.listWorkspaces();
  if (workspaces.length > 0 && !force)
    throw new Fault(
      'conflict',
      `The cell ${cell} still has the files of ${workspaces.length} ${workspaces.length === 1 ? 'worker' : 'workers'} on ${runtime.name}. Delete the workers with a running manager, or use --force to delete the files.`,
    );
  for (const { id } of bodies) await runtime.remove(id);
  await runtime.dismantle();
  return bodies.length;
}
