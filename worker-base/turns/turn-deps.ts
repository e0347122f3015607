import type { Conversation } from '../agent/session.ts';
import type { Keep } from '../agent/session-archive.ts';
import type { Denials } from '../sandbox/denials.ts';
import type { Over, Surroundings } from '../workload.ts';

/** What turns are made of, and their clocks. */
export interface TurnsParts {
  around: Surroundings;
  conversation: () => Conversation;
  keep: Keep;
  denials: Denials;
  /** Milliseconds between an interrupt that the agent ignores and its SIGKILL. */
  interruptMs: number;
  silenceMs: number;
  handshakeMs: number;
  /** When a byte of the model last passed. */
  modelByteAt: () => number;
  /** The conversation of the incarnation before is gone. */
  lost: boolean;
  over: (over: Over) => void;
}
