import { writeSync } from 'node:fs';
import { LineWriter } from './line-writer.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];

/**
 * Values of LOG_LEVEL in lower case, including names from other languages, with the lowest level that each
 * one logs.
 */
const LEAST: Record<string, number> = {
  trace: 0,
  debug: 0,
  info: 1,
  warn: 2,
  warning: 2,
  error: 3,
  fatal: LEVELS.length,
  critical: LEVELS.length,
  silent: LEVELS.length,
};

/** Writes one event; `fields` are small JSON values. */
export type Log = Record<Level, (msg: string, fields?: Record<string, unknown>) => void>;

/** One JSON object per line, or readable lines. */
export type LogFormat = 'json' | 'text';

/**
 * A body of a manager logs its few lines to stderr, and the manager reads the end of it. A node that was
 * started manually logs to stdout, for `docker logs`.
 */
export interface LogTarget {
  format: LogFormat;
  to: 'stdout' | 'stderr';
}

const stdout = new LineWriter(1);

/** Resolves when all log lines are written to stdout, or after a second; call it before the program exits. */
export const flushLog = (): Promise<void> => stdout.flush();

/** Parses LOG_LEVEL, in upper or lower case; throws an error that names the allowed values. */
export function readLogLevel(text: string | undefined): string {
  const level = (text || 'info').toLowerCase();
  if (Object.hasOwn(LEAST, level)) return level;
  throw new Error(`LOG_LEVEL is "${text}": it must be one of ${Object.keys(LEAST).join(', ')}.`);
}

/**
 * A log that never throws: a full or closed stream loses lines and harms nothing else. It never contains the
 * address of Redis or prompts.
 */
export function createLog(
  level: string,
  workerId: string,
  incarnation: number,
  { format, to }: LogTarget = { format: 'json', to: 'stderr' },
): Log {
  const least = LEAST[level] ?? 1;
  const write = (at: Level) => (msg: string, fields?: Record<string, unknown>) => {
    if (LEVELS.indexOf(at) < least) return;
    const time = new Date().toISOString();
    const line =
      format === 'text'
        ? toText(time, at, msg, fields)
        : JSON.stringify({ level: at, time, msg, worker_id: workerId, incarnation, ...fields });
    if (to === 'stdout') return stdout.writeLine(line);
    try {
      writeSync(2, `${line}\n`);
    } catch {
      // The pipe is closed or full: a failed log line must not end an agent.
    }
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** `2026-01-31T12:00:00.000Z INFO  message key=value`; always a single line. */
function toText(time: string, level: Level, msg: string, fields: Record<string, unknown> = {}): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${toValue(value)}`);
  return [time, level.toUpperCase().padEnd(5), escapeControls(msg), ...pairs].join(' ');
}

const PLAIN_VALUE = /^[\w@%+,./:-]+$/;

function toValue(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return PLAIN_VALUE.test(text) ? text : escapeControls(JSON.stringify(text));
}

/** Escapes control characters, so that they do not reach a terminal and a message stays on one line. */
function escapeControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are escaped.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/^[\u007f-\u2029]$/, (raw) => `\\u${raw.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}
