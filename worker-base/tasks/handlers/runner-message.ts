/** Parses the lines of a runner. A function can write to the same descriptor, so they are not trusted. */

import { takeHead } from '../../../src/model/values/cut.ts';

/** Why something failed, as a runner reports it. */
export interface HandlerError {
  type: string;
  message: string;
  traceback?: string;
}

/**
 * A runner's message: first whether its files are loaded, with the file of each function, then about calls.
 * Only an error may have no call ID.
 */
export type RunnerMessage =
  | { ready: string[]; files: Record<string, string> }
  | { failed: HandlerError }
  | { id: number; progress: unknown }
  | { id: number; result: unknown }
  | { id?: number; error: HandlerError };

/** Number of characters of an unexpected line in an error message. */
const SHOWN = 100;
const KINDS = ['ready', 'failed', 'progress', 'result', 'error'] as const;

/** Parses a line; undefined if it is not a valid message of a runner. */
export function parseRunnerMessage(text: string): RunnerMessage | undefined {
  const value = parsed(text);
  if (!isRecord(value)) return undefined;
  const [kind, ...more] = KINDS.filter((kind) => Object.hasOwn(value, kind));
  if (!kind || more.length > 0) return undefined;
  const { id, ready, files, failed, error } = value;
  if (kind === 'ready') return isNames(ready) && isPlaces(files) ? { ready, files } : undefined;
  if (kind === 'failed') return isHandlerError(failed) ? { failed } : undefined;
  if (kind === 'error' && id === undefined) return isHandlerError(error) ? { error } : undefined;
  if (!Number.isSafeInteger(id) || Number(id) < 1) return undefined;
  const call = { id: Number(id) };
  if (kind === 'error') return isHandlerError(error) ? { ...call, error } : undefined;
  return kind === 'progress' ? { ...call, progress: value.progress } : { ...call, result: value.result };
}

/** A message about a line that is not from the runner. */
export function foreign(text: string): string {
  const shown = text.length > SHOWN ? `${takeHead(text, SHOWN)}…` : text;
  return `it wrote data to descriptor 4, which belongs to the runner: ${JSON.stringify(shown)}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isPlaces(value: unknown): value is Record<string, string> {
  return isRecord(value) && isNames(Object.values(value));
}

function isHandlerError(value: unknown): value is HandlerError {
  if (!isRecord(value)) return false;
  const { type, message, traceback } = value;
  return [type, message, traceback ?? ''].every((text) => typeof text === 'string');
}
