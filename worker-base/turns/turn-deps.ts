import type { AgentSession } from '../agent/session.ts';
import type { SessionArchive } from '../agent/session-archive.ts';
import type { TurnJournal } from '../agent/turn-journal.ts';
import type { Denials } from '../sandbox/denials.ts';
import type { WorkloadContext, WorkloadResult } from '../workload.ts';
import type { Predecessor } from './predecessor.ts';

/** The dependencies of turns, and their timeouts. */
export interface TurnRunnerDeps {
  context: WorkloadContext;
  agentSession: () => AgentSession;
  archive: SessionArchive;
  journal: TurnJournal;
  predecessor: Predecessor;
  denials: Denials;
  /** Milliseconds between an interrupt that the agent ignores and its SIGKILL. */
  interruptMs: number;
  silenceMs: number;
  handshakeMs: number;
  /** When the model last sent a byte. */
  modelByteAt: () => number;
  /** The conversation of the previous incarnation is lost. */
  lost: boolean;
  over: (result: WorkloadResult) => void;
}
