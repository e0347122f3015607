import { CommanderError, InvalidArgumentError } from 'commander';
import { errorMessage, Fault, type Issue } from '../model/index.ts';
import { redactText } from '../telemetry/redact.ts';

/** Exit codes of all verbs; 124 is the one of timeout(1). */
export const EXIT = { done: 0, failed: 1, usage: 2, timedOut: 124 } as const;

/** The requested state was not reached in time. */
export class TimedOut extends Error {
  override name = 'TimedOut';
}

/** The command line itself is invalid. */
export function usageError(message: string, issues?: Issue[]): Fault {
  return new Fault('invalid_command', message, issues ? { issues } : {});
}

/** The exit code of an error. */
export function toExitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof TimedOut) return EXIT.timedOut;
  if (error instanceof Fault && error.code === 'invalid_command') return EXIT.usage;
  return EXIT.failed;
}

/** The lines to print for an error; commander has already printed its own, but not what an action throws for a value. */
export function formatErrorLines(error: unknown, debug: boolean): string[] {
  if (error instanceof CommanderError && !(error instanceof InvalidArgumentError)) return [];
  const message = errorMessage(error);
  const lines = [`error: ${message}`];
  const issues = error instanceof Fault ? (error.issues ?? []) : [];
  for (const { path, message: text } of issues) if (!message.includes(path)) lines.push(`  ${path} ${text}`);
  if (debug && error instanceof Error && error.stack) lines.push(error.stack);
  return lines.map((line) => redactText(line));
}
