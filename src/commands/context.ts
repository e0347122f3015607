/** Input and output of every command. */
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

/** What a command can use besides its own fields. */
export interface CommandContext {
  store: Pick<Store, 'status' | 'page' | 'usage' | 'emit'>;
  pools: Pick<PoolStore, 'record'>;
  /** The runtimes that this manager uses, in order of preference; `info` is absent while one does not answer. */
  runtimes: readonly { name: RuntimeName; info: RuntimeInfo | undefined; error?: string | undefined }[];
  capabilities: Capabilities;
  /** Why the cell cannot have another worker; `undefined` if it can. */
  full?: (() => string | undefined) | undefined;
  now: () => number;
  newId: () => string;
  /** A warm worker whose body a worker of this spec can claim; `changed` reports the result to it. */
  warm?: ((spec: WorkerSpec) => Promise<WarmCandidate | undefined>) | undefined;
}

/** What this manager's machine and operator allow, as far as a `create` depends on it. */
export interface Capabilities {
  /** The operator's image for all Docker bodies; modules cannot be added to it. */
  foreignImage: string | undefined;
  /** ALLOW_PRIVILEGED: bodies may get the rights that a Docker daemon inside them needs. */
  allowPrivileged: boolean;
  /** The secrets that are missing in the operator's directory. */
  missingSecrets: (names: string[]) => Promise<string[]>;
  /** The handler files that are missing in the operator's directory. */
  missingHandlers: (names: string[]) => Promise<string[]>;
  /** Why nothing more fits on this machine; `undefined` if there is space. */
  diskSpaceError: () => Promise<string | undefined>;
  /** Why the image of such a worker neither exists nor can be built; `undefined` otherwise. */
  imageUnavailableReason: (spec: WorkerSpec) => Promise<string | undefined>;
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

/** The JSON of an error response. */
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
