/** Input and output of every command. */
import type {
  Command,
  CommandName,
  CommandOf,
  CommandResponse,
  Fault,
  LifecycleEvent,
  WorkerSpec,
} from '../model/index.ts';
import type { PlacementContext } from '../placement/context.ts';
import type { CommandSettlement, PoolStore, Store, WarmCandidate } from '../store/index.ts';

/** What a command can use besides its own fields. */
export interface CommandContext extends PlacementContext {
  store: Pick<Store, 'status' | 'page' | 'usage' | 'emit'>;
  pools: Pick<PoolStore, 'record'>;
  /** Why the cell cannot have another worker, besides those being created; `undefined` if it can. */
  full?: ((beingCreated?: number) => string | undefined) | undefined;
  now: () => number;
  newId: () => string;
  /** The trace of a start that a command asks for: a span in the caller's trace, or a new trace. Absent without traces. */
  newTrace?: ((caller: string | undefined) => string) | undefined;
  /** A warm worker whose body a worker of this spec can claim; `changed` reports the result to it. */
  warm?: ((spec: WorkerSpec) => Promise<WarmCandidate | undefined>) | undefined;
}

/** What to do for a command, independent of its entry. */
export type Plan = Omit<CommandSettlement, 'entry' | 'requestId' | 'replyTo'> & {
  /** A line for the history of the worker, written if the command is settled with `ok`. */
  event?: LifecycleEvent;
  /** The reason given in the command, for the log. */
  asked?: string;
};
export type Planner<N extends CommandName> = (
  command: CommandOf<N>,
  context: CommandContext,
) => Plan | Promise<Plan>;

/** The JSON of a successful response, with the fields of the contract first. */
export function successResponse({ request_id, command }: Command, more: object = {}): string {
  return JSON.stringify({ request_id, command, success: true, ...more } satisfies CommandResponse);
}

/** An error response; a plan has several that will not be sent, so it needs no stack. */
export type Refusal = Pick<Fault, 'code' | 'message'> & Partial<Pick<Fault, 'issues'>>;

/** The JSON of an error response. */
export function failureResponse(
  request: { request_id?: string; command?: string; entry_id?: string },
  fault: Refusal,
): string {
  const { code, message, issues } = fault;
  const { request_id, command, entry_id } = request;
  const names = {
    ...(request_id && { request_id }),
    ...(command && { command }),
    ...(entry_id && { entry_id }),
  };
  return JSON.stringify({ ...names, success: false, error: { code, message, ...(issues && { issues }) } });
}
