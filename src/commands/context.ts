/** What every command gets and gives. */
import type {
  Command,
  CommandName,
  CommandOf,
  CommandResponse,
  Fault,
  LifecycleEvent,
  RuntimeName,
  WorkerSpec,
} from '../model/index.ts';
import type { RuntimeInfo } from '../runtimes/runtime.ts';
import type { CommandSettlement, PoolStore, Store, WarmCandidate } from '../store/index.ts';

/** What a command may know beside itself. */
export interface CommandContext {
  store: Pick<Store, 'status' | 'page' | 'usage' | 'emit'>;
  pools: Pick<PoolStore, 'record'>;
  /** The runtimes that this manager uses, in the order of preference; `info` is missing while one does not answer. */
  runtimes: readonly { name: RuntimeName; info: RuntimeInfo | undefined; error?: string | undefined }[];
  capabilities: Capabilities;
  /** Why the cell may have no further worker; `undefined` if it may. */
  full?: (() => string | undefined) | undefined;
  now: () => number;
  newId: () => string;
  /** A warm worker whose body a worker of this spec can take over; `changed` reports the result to it. */
  warm?: ((spec: WorkerSpec) => Promise<WarmCandidate | undefined>) | undefined;
}

/** What this manager's machine and operator allow, as far as a `create` depends on it. */
export interface Capabilities {
  /** The image that the operator names for all Docker bodies; modules cannot be added to it. */
  foreignImage: string | undefined;
  /** ALLOW_PRIVILEGED: bodies may be given what a Docker daemon inside them needs. */
  allowPrivileged: boolean;
  /** Which of these secrets the operator's directory has not. */
  missingSecrets: (names: string[]) => Promise<string[]>;
  /** Which of these handler files the operator's directory has not. */
  missingHandlers: (names: string[]) => Promise<string[]>;
  /** Why nothing more can be put on this machine; `undefined` where there is room. */
  diskSpaceError: () => Promise<string | undefined>;
  /** Why the image of such a worker is neither there nor can be built; `undefined` where it is or can. */
  imageUnavailableReason: (spec: WorkerSpec) => Promise<string | undefined>;
}

/** What to do about one command, but for the entry it came with. */
export type Plan = Omit<CommandSettlement, 'entry' | 'requestId' | 'replyTo'> & {
  /** A line for the history of the worker, once the command is settled with `ok`. */
  event?: LifecycleEvent;
  /** Why it was asked for, for the log. */
  asked?: string;
};
export type Planner<N extends CommandName> = (
  command: CommandOf<N>,
  context: CommandContext,
) => Plan | Promise<Plan>;

/** The text of a success, with the fields of the contract in front. */
export function successResponse({ request_id, command }: Command, more: object = {}): string {
  return JSON.stringify({ request_id, command, success: true, ...more } satisfies CommandResponse);
}

/** The text of a refusal. */
export function failureResponse(
  request: { request_id?: string; command?: string; entry_id?: string },
  fault: Fault,
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
