import { type Command, type CommandName, errorMessage, Fault } from '../model/index.ts';
import type { CommandEntry } from '../store/index.ts';
import { planApply } from './apply.ts';
import { type CommandContext, failureResponse, type Plan, type Planner } from './context.ts';
import { planCreate } from './create.ts';
import { planDeletePool } from './delete-pool.ts';
import { planDelete, planRestart, planStart, planStop } from './desire.ts';
import { planList } from './list.ts';
import type { EntrySettlement, ParsedEntry } from './parse-entry.ts';
import { planScale } from './scale.ts';
import { planStatus } from './status.ts';

/** A mapped type: a command without a planner does not compile. */
const planners: { [N in CommandName]: Planner<N> } = {
  create: planCreate,
  delete: planDelete,
  stop: planStop,
  start: planStart,
  restart: planRestart,
  status: planStatus,
  list: planList,
  apply: planApply,
  scale: planScale,
  delete_pool: planDeletePool,
};

/** Commands that change nothing. Their responses age, so they are not stored. */
const READS: ReadonlySet<CommandName> = new Set(['status', 'list']);

/** The plan of a command. Never throws: errors become error responses. */
export async function planCommand(command: Command, context: CommandContext): Promise<Plan> {
  try {
    const planner = planners[command.command] as Planner<CommandName>;
    return await planner(command as never, context);
  } catch (error) {
    const fault =
      error instanceof Fault ? error : new Fault('internal', `The command failed: ${errorMessage(error)}`);
    const again = fault.code === 'unavailable' || fault.code === 'capacity' || fault.code === 'internal';
    const operation = again ? 'later' : READS.has(command.command) ? 'read' : 'answer';
    return { operation, answers: { ok: failureResponse(command, fault) } };
  }
}

/** The result of an entry. Never throws. */
export async function planEntry(
  entry: CommandEntry,
  parsed: ParsedEntry,
  context: CommandContext,
): Promise<EntrySettlement> {
  if (!('command' in parsed)) return parsed;
  const { command, name, fingerprint } = parsed;
  const { request_id: requestId, reply_to: replyTo } = command;
  return { ...(await planCommand(command, context)), entry, requestId, fingerprint, replyTo, name };
}
