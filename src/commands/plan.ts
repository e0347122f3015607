import { type Command, type CommandName, Fault, messageOf } from '../model/index.ts';
import { apply } from './apply.ts';
import { type CommandContext, type Plan, type Planner, refusal } from './context.ts';
import { create } from './create.ts';
import { deletePool } from './delete-pool.ts';
import { deleteWorker, startWorker, stopWorker } from './desire.ts';
import { list } from './list.ts';
import { scale } from './scale.ts';
import { status } from './status.ts';

/** A mapped type: a command without its planner does not compile. */
const planners: { [N in CommandName]: Planner<N> } = {
  create,
  delete: deleteWorker,
  stop: stopWorker,
  start: startWorker,
  status,
  list,
  apply,
  scale,
  delete_pool: deletePool,
};

/** Commands that change nothing: their answers are as old as the look, so none is remembered. */
const READS: ReadonlySet<CommandName> = new Set(['status', 'list']);

/** The plan of a command. Never throws: what goes wrong is a refusal. */
export async function planOf(command: Command, context: CommandContext): Promise<Plan> {
  try {
    const planner = planners[command.command] as Planner<CommandName>;
    return await planner(command as never, context);
  } catch (error) {
    const fault =
      error instanceof Fault ? error : new Fault('internal', `The command failed: ${messageOf(error)}`);
    const again = fault.code === 'unavailable' || fault.code === 'capacity' || fault.code === 'internal';
    const operation = again ? 'later' : READS.has(command.command) ? 'read' : 'answer';
    return { operation, answers: { ok: refusal(command, fault) } };
  }
}
