import { CommanderError } from 'commander';
import { Fault, type Issue, messageOf } from '../model/index.ts';
import { redactText } from '../telemetry/redact.ts';

/** Exit codes of every verb; 124 is that of timeout(1). */
export const EXIT = { done: 0, failed: 1, usage: 2, timedOut: 124 } as const;

/** What was asked for has not come in time. */
export class TimedOut extends Error {
  override name = 'TimedOut';
}

/** The command line itself is wrong. */
export function usage(message: string, issues?: Issue[]): Fault {
  return new Fault('invalid_command', message, issues ? { issues } : {});
}

/** The exit code that an error ends with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof TimedOut) return EXIT.timedOut;
  if (error instanceof Fault && error.code === 'invalid_command') return EXIT.usage;
  return EXIT.failed;
}

/** The lines that a person gets to read; commander has said its own already. */
export function linesOf(error: unknown, debug: boolean): string[] {
  if (error instanceof CommanderError) return [];
  const message = messageOf(error);
  const lines = [`error: ${message}`];
  const issues = error instanceof Fault ? (error.issues ?? []) : [];
  for (const { path, message: text } of issues) if (!message.includes(path)) lines.push(`  ${path} ${text}`);
  if (debug && error instanceof Error && error.stack) lines.push(error.stack);
  return lines.map((line) => redactText(line));
}
