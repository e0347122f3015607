import {
  type Answer,
  type Command,
  type CommandName,
  type CommandOf,
  Fault,
  messageOf,
  type RuntimeName,
} from '../model/index.ts';
import type { RuntimeInfo } from '../runtimes/runtime.ts';
import type { Settlement, Store } from '../store/index.ts';
import { create } from './create.ts';
import { deleteWorker, startWorker, stopWorker } from './desire.ts';
import { list } from './list.ts';
import { status } from './status.ts';

/** What a command may know beside itself. */
export interface CommandContext {
  store: Pick<Store, 'status' | 'summaries'>;
  /** The runtimes that this manager uses, in the order of preference; `info` is missing while one does not answer. */
  runtimes: readonly { name: RuntimeName; info: RuntimeInfo | undefined }[];
  now: () => number;
  newId: () => string;
}

/** What to do about one command, but for the entry it came with. */
export type Plan = Omit<Settlement, 'entry' | 'requestId' | 'replyTo'>;
export type Planner<N extends CommandName> = (
  command: CommandOf<N>,
  context: CommandContext,
) => Plan | Promise<Plan>;

/** A mapped type: a command without its planner does not compile. */
const planners: { [N in CommandName]: Planner<N> } = {
  create,
  delete: deleteWorker,
  stop: stopWorker,
  start: startWorker,
  status,
  list,
};

/** The plan of a command. Never throws: what goes wrong is a refusal. */
export async function planOf(command: Command, context: CommandContext): Promise<Plan> {
  try {
    const planner = planners[command.command] as Planner<CommandName>;
    return await planner(command as never, context);
  } catch (error) {
    const fault =
      error instanceof Fault ? error : new Fault('internal', `The command failed: ${messageOf(error)}`);
    const again = fault.code === 'unavailable' || fault.code === 'capacity' || fault.code === 'internal';
    return { operation: again ? 'later' : 'answer', answers: { ok: refusal(command, fault) } };
  }
}

/** The text of a success, with the fields of the contract in front. */
export function success({ request_id, command }: Command, more: object = {}): string {
  return JSON.stringify({ request_id, command, success: true, ...more } satisfies Answer);
}

/** The text of a refusal. */
export function refusal(
  given: { request_id?: string; command?: string; entry_id?: string },
  fault: Fault,
): string {
  const { code, message, issues } = fault;
  const { request_id, command, entry_id } = given;
  const names = {
    ...(request_id && { request_id }),
    ...(command && { command }),
    ...(entry_id && { entry_id }),
  };
  return JSON.stringify({ ...names, success: false, error: { code, message, ...(issues && { issues }) } });
}
