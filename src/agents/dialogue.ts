/**
 * How one agent talks, seen from its wrapper: lines of its stdout in, events of the contract and text for its stdin
 * out. Pure: no clock, no process, no file, so that a recorded session can be played back.
 *
 * Imported by the wrapper, so nothing here may import anything heavier than types.
 */

/** What an agent does during a turn, as it stands on the output stream. */
export type AgentEvent =
  /** What it says to people; `content` is the whole text of one block. */
  | { type: 'message'; content: string }
  /** It uses a tool; `content` is the shell command, or else the tool's name and what it is used on, on one line. */
  | { type: 'tool_use'; content: string; tool: string; tool_use_id: string; input: unknown }
  /** What the tool answered. */
  | { type: 'tool_result'; content: string; tool: string; tool_use_id: string; is_error: boolean }
  /** It was not allowed; `content` says what and why. */
  | { type: 'permission_denied'; content: string; tool: string; tool_use_id: string }
  /** A remark for people on how it fares, such as that a call to the model is tried again. */
  | { type: 'stderr'; content: string };

/** Why a turn failed, one word for programs. */
export type TurnFailure =
  /** The model's endpoint does not accept the credential (401, 403). */
  | 'authentication'
  /** 429 to the end of the agent's patience. */
  | 'rate_limited'
  /** 529, 5xx to the end of the agent's patience. */
  | 'overloaded'
  | 'server_error'
  /** 400, 404, 413: the same prompt will fail again. */
  | 'invalid_request'
  /** The endpoint could not be reached, or cut the connection. */
  | 'connection'
  /** The model refused to answer. */
  | 'refused'
  /** A bound on turns or money was reached. */
  | 'limit'
  /** It was interrupted by the orchestrator. */
  | 'interrupted'
  /** Its `deadline_seconds` were over. */
  | 'deadline'
  /** The agent showed no sign of life for `silence_timeout_seconds`. */
  | 'silent'
  /** The agent wrote what is not its protocol, and no end of the turn. */
  | 'garbage'
  /** The conversation that was to be resumed is gone; the next prompt begins a new one. */
  | 'session_lost'
  /** The agent's process ended in the middle of the turn. */
  | 'exit'
  /** The worker was stopped. */
  | 'stopped'
  /** Anything else that the agent calls an error. */
  | 'error';

/** How a turn ended. Money is in US dollars and of this turn alone; tokens as the agent counts them. */
export type TurnEnd = ({ ok: true; result: string } | { ok: false; reason: TurnFailure; message: string }) & {
  usage?: TokenUsage;
  cost_usd?: number;
};

export interface TokenUsage {
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens?: number;
  cache_write_tokens?: number;
}

/** The result of one message to, or from, the agent. All of it is optional, and in this order. */
export interface DialogueStep {
  events?: AgentEvent[];
  /** For the agent's stdin, line ends included. */
  write?: string;
  /** The handshake is done: prompts may be given. Said once. */
  ready?: true;
  /** The agent's name of the conversation, whenever it changes. */
  session?: string;
  /** The turn is over; the next prompt may be given. */
  ended?: TurnEnd;
  /**
   * Only that the model is asked again: not a sign of life, because an agent whose model hangs reports retries for an
   * hour.
   */
  retrying?: true;
  /** The line is none of this protocol; it goes out as plain `stdout`. */
  unreadable?: true;
}

/** One conversation with one agent process. At most one turn is under way. */
export interface Dialogue {
  /** Before anything else. */
  open(): DialogueStep;
  /** Begins a turn. Not called before `ready`, nor before the last turn's `ended`. */
  prompt(content: string): DialogueStep;
  /** Asks for the turn's end, which is reported as `ended` with the reason `interrupted`. */
  interrupt(): DialogueStep;
  /** One line of stdout, without its end. */
  receive(line: string): DialogueStep;
}

/** `session` is the conversation to continue; without it a new one begins. */
export type OpenDialogue = (options: { workspace: string; session?: string | undefined }) => Dialogue;
