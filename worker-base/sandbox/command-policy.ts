/**
 * The advisory part of `allowed_commands`: decides for an agent's hook before a command runs, so that the
 * agent gets a readable reason for a denial, and detects programs that the operating system refused to run.
 *
 * Pure, and advice only: it allows commands that it does not understand, because the system refuses forbidden
 * ones.
 */
import { BASE_COMMANDS } from './base-commands.ts';
import { BUILTINS, findPrograms } from './shell-parser.ts';

/** The output of a PreToolUse hook for Claude Code and Droid; empty means "no decision". */
export interface PolicyDecision {
  hookSpecificOutput?: {
    hookEventName: 'PreToolUse';
    permissionDecision: 'allow' | 'deny';
    permissionDecisionReason?: string;
  };
}

/** The tools that run a shell command, as the agents name them. */
const SHELL_TOOLS = ['Bash', 'Execute'];
/** Tools that access the network without a command. */
const FETCHING_TOOLS = ['WebFetch', 'WebSearch', 'FetchUrl'];
/** Maximum number of names in a reason; the whole list is in the instructions. */
const NAMED = 20;

/** `request` is the hook's request, as JSON; `allowed` are the worker's `allowed_commands`. */
export function evaluateToolCall(request: unknown, allowed: readonly string[]): PolicyDecision {
  const { tool_name: tool, tool_input: input } = (request ?? {}) as Record<string, unknown>;
  if (typeof tool !== 'string') return {};
  if (FETCHING_TOOLS.includes(tool))
    return toDecision(`${tool} is not allowed for this worker, which has allowed_commands.`);
  if (!SHELL_TOOLS.includes(tool)) return toDecision();
  const command = ((input ?? {}) as Record<string, unknown>).command;
  if (typeof command !== 'string') return toDecision();
  const refusal = explainRefusal(command, allowed);
  return toDecision(refusal && `${refusal} Continue without it, or report what you could not do.`);
}

/** Which programs of a shell command are not allowed, as far as its text shows; undefined if none is found. */
export function explainRefusal(command: string, allowed: readonly string[]): string | undefined {
  const free = new Set([...allowed, ...BASE_COMMANDS, ...BUILTINS]);
  const refused = findPrograms(command).filter((name) => !free.has(name));
  if (refused.length === 0) return undefined;
  const names = refused.slice(0, NAMED).join(', ');
  const list =
    allowed.length > NAMED ? `${allowed.slice(0, NAMED).join(', ')} …` : allowed.join(', ') || 'none';
  return `${names} ${refused.length === 1 ? 'is' : 'are'} not in allowed_commands (${list}), regardless of how it is started.`;
}

function toDecision(refusal?: string): PolicyDecision {
  return {
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: refusal === undefined ? 'allow' : 'deny',
      ...(refusal === undefined ? {} : { permissionDecisionReason: refusal }),
    },
  };
}

/**
 * Number of characters of a result that are checked at each end: a refusal is at the start or end of a
 * command.
 */
const OUTPUT_LIMIT = 16_384;
/** A program's name, or its path in a directory of programs; a file elsewhere could be refused for other reasons. */
const PROGRAM = String.raw`["'‘\x60]?(?:(?:/usr)?(?:/local)?/s?bin/)?([A-Za-z0-9_][A-Za-z0-9._+-]*)["'’]?`;
const DENIED = String.raw`: Permission denied\s*$`;
/** Messages of shells, and of programs that run others, about a program that they may not execute. */
const DENIAL_PATTERNS = [
  // bash prints the path that it found; its message for a file that it may not open is different.
  // The prefix is how the shell was called: its name, the script's name, or any text given to `sh -c`.
  String.raw`^[^\n]*: line \d+: (?:/usr)?(?:/local)?/s?bin/([^/\s:]+)${DENIED}`,
  String.raw`^[^\n]*: \d+: ${PROGRAM}${DENIED}`,
  String.raw`^(?:bash|sh|/bin/sh|/bin/bash|/usr/bin/bash): [^\n]*: ${PROGRAM}: bad interpreter${DENIED}`,
  String.raw`^(?:\S*/)?(?:timeout|nohup|stdbuf): failed to run command ${PROGRAM}${DENIED}`,
  String.raw`^(?:\S*/)?(?:env|nice|xargs|find|setsid|chrt|ionice): (?:failed to execute )?${PROGRAM}${DENIED}`,
  `^(?:error|fatal): cannot (?:run|exec) ${PROGRAM}${DENIED}`,
  `Can't exec ${PROGRAM}: Permission denied`,
  String.raw`\bspawn(?:Sync)? ${PROGRAM} EACCES\b`,
  String.raw`^PermissionError: \[Errno 13\] Permission denied: ${PROGRAM}\s*$`,
].map((pattern) => new RegExp(pattern, 'm'));
/** A shell's exit code for a file that cannot be executed, as the agents' tools report it. */
const CODE_126 = /\b(?:exit code:?|exited with code) 126\b/i;
const ANY = /(?:^|: )(?:\S*\/)?([^/\s:'"]+): Permission denied\s*$/m;

/**
 * The program that the operating system refused to run, as a tool's result reports it; undefined if there is
 * none.
 */
export function findDenial({
  content,
  is_error,
}: {
  content: string;
  is_error: boolean;
}): string | undefined {
  const text =
    content.length <= 2 * OUTPUT_LIMIT
      ? content
      : `${content.slice(0, OUTPUT_LIMIT)}\n${content.slice(-OUTPUT_LIMIT)}`;
  if (!/Permission denied|EACCES/.test(text)) return undefined;
  for (const pattern of DENIAL_PATTERNS) {
    const name = pattern.exec(text)?.[1];
    if (name) return name;
  }
  return is_error && CODE_126.test(text) ? ANY.exec(text)?.[1] : undefined;
}
