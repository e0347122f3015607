import type { AgentSession } from '../agent/session.ts';
import type { SessionArchive } from '../agent/session-archive.ts';
import type { Denials } from '../sandbox/denials.ts';
import type { WorkloadContext, WorkloadResult } from '../workload.ts';

/** What turns are made of, and their clocks. */
export interface TurnRunnerDeps {
  context: WorkloadContext;
  agentSession: () => AgentSession;
  archive: SessionArchive;
  denials: Denials;
  /** Milliseconds between an interrupt that the agent ignores and its SIGKILL. */
  interruptMs: number;
  silenceMs: number;
  handshakeMs: number;
  /** When a byte of the model last passed. */
  modelByteAt: () => number;
  /** The conversation of the incarnation before is gone. */
  lost: boolean;
  over: (result: WorkloadResult) => void;
}
