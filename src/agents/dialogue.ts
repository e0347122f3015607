/**
 * The protocol of one agent, as the wrapper sees it: it takes lines of the agent's stdout and returns events
 * of the contract and text for the agent's stdin. Pure: no clock, process or file, so that tests can replay a
 * recorded session.
 *
 * The wrapper imports this, so nothing here may import anything heavier than types.
 */

/** An event of a turn, as it appears on the output stream. */
export type AgentEvent =
  /** Text for people; `content` is the whole text of one block. */
  | { type: 'message'; content: string }
  /** A tool use; `content` is the shell command, or the tool's name and its target, on one line. */
  | { type: 'tool_use'; content: string; tool: string; tool_use_id: string; input: unknown }
  /** The result of a tool. */
  | { type: 'tool_result'; content: string; tool: string; tool_use_id: string; is_error: boolean }
  /** A tool use was denied; `content` contains the tool use and the reason. */
  | { type: 'permission_denied'; content: string; tool: string; tool_use_id: string }
  /** A status notice for people, such as a retried call to the model. */
  | { type: 'stderr'; content: string };

/** Why a turn failed, as a machine-readable word. */
export type TurnFailure =
  /** The model's endpoint does not accept the credential (401, 403). */
  | 'authentication'
  /** 429 until the agent gave up. */
  | 'rate_limited'
  /** 529 or 5xx until the agent gave up. */
  | 'overloaded'
  | 'server_error'
  /** 400, 404, 413: the same prompt will fail again. */
  | 'invalid_request'
  /** The endpoint could not be reached, or cut the connection. */
  | 'connection'
  /** The model refused to answer. */
  | 'refused'
  /** A limit on turns or cost was reached. */
  | 'limit'
  /** The orchestrator interrupted it. */
  | 'interrupted'
  /** Its `deadline_seconds` passed. */
  | 'deadline'
  /** The agent showed no activity for `silence_timeout_seconds`. */
  | 'silent'
  /** The agent's output did not follow its protocol and did not end the turn. */
  | 'garbage'
  /** The conversation to resume is gone; the next prompt begins a new one. */
  | 'session_lost'
  /** The agent's process exited during the turn. */
  | 'exit'
  /** The worker was stopped. */
  | 'stopped'
  /** Any other error that the agent reported. */
  | 'error';

/**
 * How a turn ended. The cost is in US dollars and covers this turn only; tokens are as the agent counts them.
 */
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

/** The result of one message to or from the agent. All fields are optional and apply in this order. */
export interface DialogueStep {
  events?: AgentEvent[];
  /** Text for the agent's stdin, including line ends. */
  write?: string;
  /** The handshake is done and prompts are accepted. Reported once. */
  ready?: true;
  /** The agent's ID of the conversation, whenever it changes. */
  session?: string;
  /** The turn has ended; the next prompt is accepted. */
  ended?: TurnEnd;
  /**
   * The model call is being retried. This does not count as activity: an agent whose model hangs can report
   * retries for an hour.
   */
  retrying?: true;
  /** The line is not part of this protocol; it is emitted as plain `stdout`. */
  unreadable?: true;
}

/** One conversation with one agent process. At most one turn is active. */
export interface Dialogue {
  /** Called first. */
  open(): DialogueStep;
  /**
   * Begins a turn. Not called before `ready`, nor before the previous turn's `ended`. `notice` is a remark of the wrapper,
   * only if `takesNotice`.
   */
  prompt(content: string, notice?: string): DialogueStep;
  /** It has a place of its own for remarks; otherwise they are put before the prompt's text. */
  takesNotice?: true;
  /** Requests the end of the turn, which is reported as `ended` with the reason `interrupted`. */
  interrupt(): DialogueStep;
  /** Processes one line of stdout, without its line end. */
  receive(line: string): DialogueStep;
}

/** `session` is the conversation to continue; without it a new one begins. */
export type OpenDialogue = (options: { workspace: string; session?: string | undefined }) => Dialogue;
