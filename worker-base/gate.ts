/**
 * The friendly half of `allowed_commands`: answers an agent's hook before a command is run, so that the agent is told
 * what it may not do in words. Pure, and advice only: what it does not understand it lets through, because the
 * operating system refuses what is not allowed.
 */

/** What both Claude Code and Droid read from a PreToolUse hook; empty is "no opinion". */
export interface GateAnswer {
  hookSpecificOutput?: {
    hookEventName: 'PreToolUse';
    permissionDecision: 'allow' | 'deny';
    permissionDecisionReason: string;
  };
}

/** `request` is the hook's question, as JSON; `allowed` are the worker's `allowed_commands`. */
export function judge(request: unknown, allowed: readonly string[]): GateAnswer {
  void request;
  void allowed;
  return {};
}

/** The program that the operating system refused to run, as a tool's result tells it; undefined where it tells none. */
export function refusalIn(result: { content: string; is_error: boolean }): string | undefined {
  void result;
  return undefined;
}
