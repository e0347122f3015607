import type { ChainableCommander } from 'ioredis';
import type { AgentKind } from '../src/agents/kind.ts';
import type { Heartbeat } from '../src/model/worker/heartbeat.ts';
import type { WorkerSpec } from '../src/model/worker/spec.ts';
import type { AgentProcessOptions } from './agent/agent-process.ts';
import type { Exit } from './agent/exit.ts';
import type { ModelProxy } from './model-proxy/proxy.ts';
import type { Privileges } from './sandbox/privileges.ts';
import type { ShutdownReason } from './shutdown.ts';
import type { HeartbeatSender } from './streams/heartbeat.ts';
import type { InputEntry } from './streams/input.ts';
import { readMessage } from './streams/input-message.ts';
import type { OutputQueue } from './streams/output-queue.ts';

/** Why the agent cannot be started at all; `message` is for users. */
export class CannotStart extends Error {
  readonly code: number;
  /** For the status; `undefined` if the exit code says enough. */
  readonly reason: Heartbeat['failure'];
  constructor(code: number, message: string, reason?: Heartbeat['failure']) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

/** What a body finds of an earlier one. */
export interface Resumed {
  /** The files of the workspace outlive bodies. */
  persistent: boolean;
  /** Path of the workspace. */
  workspace: string;
  /** When the workspace was last written; absent if it is empty, or if that could not be determined in time. */
  written_at: string | undefined;
}

/** The prepared environment of the agent. */
export interface AgentEnvironment {
  kind: AgentKind;
  privileges: Privileges;
  home: string | undefined;
  modelProxy: ModelProxy | undefined;
  /** Only if an earlier body of the worker has run. */
  resumed: Resumed | undefined;
  /** The commit that the workspace was filled with, if this body has filled it. */
  startCommit?: string | undefined;
  /** Something happens in the body, so it is not idle. */
  touch(): void;
  /** Returns the command of the agent; `session` is the conversation to continue. */
  processOptions(session: string | undefined): Pick<AgentProcessOptions, 'argv' | 'cwd' | 'env' | 'killRest'>;
}

/** How a body's workload ended, once no process of the agent remains and all of its output is reported. */
export interface WorkloadResult {
  exit: Exit;
  /** The exit code of the body. */
  code: number;
  /** A message for users, in the entry `exited`. */
  sentence: string;
  /** The input entry to acknowledge once the last output has arrived. */
  answered?: { id: string; also: AddCommands; storeConversation?: AddCommands } | undefined;
}

/** Commands in the same transaction as an acknowledgement. */
export type AddCommands = (transaction: ChainableCommander) => void;

/** The work of a body between `ready` and `exited`: it passes prompts to an agent, in one of two ways. */
export interface Workload {
  /** The first process of the agent. */
  pid: number;
  /** The content of the entry `ready`, if there is no agent. */
  about?: { sentence: string; fields: object };
  /** Takes any entry of the input stream. */
  handle(entry: InputEntry): void;
  /** The body has to end: no new prompts, SIGTERM. Unhandled prompts are left to the next incarnation. */
  end(reason: ShutdownReason): void;
  /** The grace period is over: SIGKILL. */
  kill(): void;
  /** The agent may be read again. */
  resume(): void;
  result: Promise<WorkloadResult>;
  /** Settles when all handled prompts are acknowledged. */
  settled(): Promise<unknown>;
}

/** The parts of the body that both kinds of workloads need. */
export interface WorkloadContext {
  spec: WorkerSpec;
  output: OutputQueue;
  heartbeat: HeartbeatSender;
  acknowledge(id: string, also?: AddCommands): Promise<void>;
  /** Settles when the entry is in Redis. */
  arrived(seq: number): Promise<void>;
  /** Ends the body, as an orchestrator may ask for. */
  end(reason: ShutdownReason): void;
  /** The agent has ended: no more input, from now on. */
  leaving(): void;
  /** The deadline for the whole shutdown, by performance.now(). */
  hardAt(): number;
}

/** A readable entry of the input; an unreadable one is rejected, reported and acknowledged. */
export function parseInput(entry: InputEntry, { output, acknowledge }: WorkloadContext) {
  const read = readMessage(entry.data);
  if (read.ok) return read.message;
  const list = read.issues.map(({ path, message }) => (path ? `${path} ${message}` : message)).join('; ');
  const { issues, requestId } = read;
  rejectInput(
    entry.id,
    requestId,
    'invalid_input',
    `The input was refused: ${list}.`,
    { output, acknowledge },
    { issues },
  );
  return undefined;
}

/** Reports that an entry of the input can't be served, and acknowledges it. */
export function rejectInput(
  id: string,
  requestId: string | undefined,
  reason: string,
  content: string,
  { output, acknowledge }: Pick<WorkloadContext, 'output' | 'acknowledge'>,
  more: object = {},
): void {
  output.emit('turn_failed', content, { reason, request_id: requestId, entry_id: id, ...more });
  void acknowledge(id);
}

export const SECOND_PROMPT = 'This worker ends after its first prompt and accepts no other.';
