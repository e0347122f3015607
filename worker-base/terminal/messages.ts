/** What the wrapper and its terminal host send each other, over the host's channel. */
import type { TerminalReport } from '../../src/model/doors/terminal-report.ts';

/** What a terminal is started with. */
export interface TerminalStart {
  id: string;
  /** The program as the agent's user, confined. */
  argv: string[];
  /** What clients see of it. */
  command: string[];
  cwd: string;
  env: Record<string, string>;
  cols: number;
  rows: number;
  /** How long it is kept without viewers, in milliseconds. */
  lingerMs: number;
  /** The program has another user than the wrapper, and no third user can reach the body's terminals. */
  otherUser: boolean;
}

/** A client's size, if it has one. */
export interface TerminalSize {
  cols: number | undefined;
  rows: number | undefined;
}

/** A client that views a terminal; its socket is sent with this message. */
export interface TerminalAttach extends TerminalSize {
  id: string;
  /** Headers of the request for WebSocket. */
  headers: Record<string, string | string[] | undefined>;
  /** The first bytes after the request. */
  head: Uint8Array;
}

export type ToHost =
  | { type: 'start'; call: number; terminal: TerminalStart }
  | { type: 'attach'; viewer: TerminalAttach }
  | { type: 'list'; call: number };

export type FromHost =
  | { type: 'answer'; call: number; terminals: TerminalReport[] }
  | { type: 'failed'; call: number; code: 'capacity' | 'unsupported' | 'internal'; message: string }
  /** It had no viewers for too long. */
  | { type: 'expired'; id: string }
  /** A client types, or a program writes. */
  | { type: 'active' };
