/**
 * The friendly half of `allowed_commands`: answers an agent's hook before a command is run, so that the agent learns
 * what it may not do in words, and recognises where the operating system refused a program.
 *
 * Pure, and advice only: what it does not understand it lets through, because the system refuses what is not allowed.
 */
import { BASE_COMMANDS } from './base-commands.ts';
import { BUILTINS, findPrograms } from './shell-parser.ts';

/** What both Claude Code and Droid read from a PreToolUse hook; empty is "no opinion". */
export interface PolicyDecision {
  hookSpecificOutput?: {
    hookEventName: 'PreToolUse';
    permissionDecision: 'allow' | 'deny';
    permissionDecisionReason?: string;
  };
}

/** The tools that run a shell command, as the agents name them. */
const SHELL_TOOLS = ['Bash', 'Execute'];
/** Tools that would fetch what no allowed command may. */
const FETCHING_TOOLS = ['WebFetch', 'WebSearch', 'FetchUrl'];
/** Names in a reason; the whole list is in the instructions. */
const NAMED = 20;

/** `request` is the hook's question, as JSON; `allowed` are the worker's `allowed_commands`. */
export function evaluateToolCall(request: unknown, allowed: readonly string[]): PolicyDecision {
  const { tool_name: tool, tool_input: input } = (request ?? {}) as Record<string, unknown>;
  if (typeof tool !== 'string') return {};
  if (FETCHING_TOOLS.includes(tool))
    return toDecision(`${tool} is not allowed for this worker, which has allowed_commands.`);
  if (!SHELL_TOOLS.includes(tool)) return toDecision();
  const command = ((input ?? {}) as Record<string, unknown>).command;
  if (typeof command !== 'string') return toDecision();
  const free = new Set([...allowed, ...BASE_COMMANDS, ...BUILTINS]);
  const refused = findPrograms(command).filter((name) => !free.has(name));
  if (refused.length === 0) return toDecision();
  const names = refused.slice(0, NAMED).join(', ');
  const list =
    allowed.length > NAMED ? `${allowed.slice(0, NAMED).join(', ')} …` : allowed.join(', ') || 'none';
  return toDecision(
    `${names} ${refused.length === 1 ? 'is' : 'are'} not in allowed_commands (${list}), regardless of how it is started. ` +
      'Continue without it, or report what you could not do.',
  );
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

/** Characters of a result that are looked at, from each end: a refusal stands where a command began or ended. */
const OUTPUT_LIMIT = 16_384;
/** A program's name, or its path in a directory of programs; a file elsewhere could be refused for other reasons. */
const PROGRAM = String.raw`["'‘\x60]?(?:(?:/usr)?(?:/local)?/s?bin/)?([A-Za-z0-9_][A-Za-z0-9._+-]*)["'’]?`;
const DENIED = String.raw`: Permission denied\s*$`;
/** What shells, and programs that run others, say of one that they may not execute. */
const DENIAL_PATTERNS = [
  // bash names the path that it found; a file that it may not open has another one.
  // Before it stands how the shell was called: its name, that of the script, or any text that `sh -c` was given.
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
/** A shell's exit code for what was found and could not be executed, as the agents' tools report it. */
const CODE_126 = /\b(?:exit code:?|exited with code) 126\b/i;
const ANY = /(?:^|: )(?:\S*\/)?([^/\s:'"]+): Permission denied\s*$/m;

/** The program that the operating system refused to run, as a tool's result reports it; undefined if it reports none. */
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
