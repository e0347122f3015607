/**
 * The log: one JSON object per line on stdout, or formatted text if stdout is a terminal.
 *
 * Invariant: no secret is written. Secrets in known fields are removed by path; credentials in URLs and the secrets
 * that the manager knows are removed from the finished line. Fields have the same names everywhere: `request_id` for a
 * command, `worker_id` for a worker, `trace_id` for a trace, `err` for an error; `log.child({worker_id})` adds them to all
 * messages of a component.
 *
 * Must not import any other folder; must not read the environment.
 */
import { type DestinationStream, type Level, type Logger, pino, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { printable } from './printable.ts';
import { toReadable } from './readable.ts';
import { HIDDEN, redactJson } from './redact.ts';

export type { Logger } from 'pino';

export interface LogOptions {
  level?: Level | 'silent';
  /** Formatted text instead of JSON; by default if stdout is a terminal. */
  pretty?: boolean;
  /** Destination of lines instead of stdout. */
  destination?: DestinationStream;
  version?: string;
  /** Values that must never be logged, such as the API's token and the password of Redis. */
  secrets?: readonly string[];
}

/** Fields that contain secrets, down to the third level. `env` is set by users, and may contain secrets even so. */
const SECRET_FIELDS = [
  'password',
  'token',
  'secret',
  'api_key',
  'api_token',
  'API_TOKEN',
  'authorization',
  'cookie',
  'env',
];
/** ioredis attaches the command, with all its arguments, to its errors. */
const SECRET_PATHS = [
  ...SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
  'err.command.args',
  'err.aggregateErrors[*].command.args',
  'error.command.args',
];

/** Bytes of the log that wait until they can be written at most. */
const LONGEST_WAITING = 4 * 1024 ** 2;
/** Characters of the log that wait for the end of a turn at most. */
const LONGEST_JOINED = 65_536;

export function createLogger(options: LogOptions = {}): Logger {
  const { level = 'info', version, secrets = [], destination } = options;
  const forPeople = options.pretty ?? (destination === undefined && process.stdout.isTTY === true);
  const stdout = destination ? undefined : openStdout();
  const plain = destination ?? joinLines(stdout as DestinationStream);
  const log = pino(
    {
      level,
      base: { service: 'worker-manager', ...(version === undefined ? {} : { version }) },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_PATHS, censor: HIDDEN },
      hooks: { streamWrite: (line) => redactJson(line, secrets) },
    },
    forPeople ? prettyStream(plain, destination === undefined) : plain,
  );
  stdout?.onRecovered((lost) => log.warn({ lost }, 'log lines were lost; they could not be written'));
  return log;
}

/**
 * Writes to stdout without a worker thread, so that lines logged before a crash are not lost. What cannot be written,
 * for example to a full disk, waits for the next line up to a limit, and is lost beyond it; the process continues.
 */
function openStdout(): DestinationStream & { onRecovered(report: (lost: number) => void): void } {
  const stdout = pino.destination({ fd: 1, sync: true, maxLength: LONGEST_WAITING });
  let lost = 0;
  stdout.on('error', () => {});
  stdout.on('drop', (text: string) => {
    lost += text.split('\n').length - 1;
  });
  return Object.assign(stdout, {
    onRecovered(report: (lost: number) => void) {
      stdout.on('write', () => {
        const count = lost;
        lost = 0;
        if (count > 0) report(count);
      });
    },
  });
}

/**
 * Writes the lines of one turn of the loop with one system call, after what the turn was for: a client waits for its response
 * longer than for the log. Lines since the last turn are written before the process exits; only SIGKILL loses them.
 */
export function joinLines(stream: DestinationStream): DestinationStream {
  let lines = '';
  const flush = () => {
    const joined = lines;
    lines = '';
    if (joined !== '') stream.write(joined);
  };
  process.on('exit', flush);
  return {
    write(line) {
      if (lines === '') setImmediate(flush);
      lines += line;
      if (lines.length > LONGEST_JOINED) flush();
    },
  };
}

function prettyStream(plain: DestinationStream, colorize: boolean): DestinationStream {
  const format = prettyFactory({
    colorize,
    ignore: 'service,version',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return { write: (line) => plain.write(format(forTerminal(line))) };
}

/**
 * One readable line. JSON escapes control characters, but the formatted text prints messages and stacks as they are, so they are
 * removed first.
 */
function forTerminal(line: string): string {
  const clean = (_key: string, value: unknown) => (typeof value === 'string' ? printable(value) : value);
  try {
    return `${JSON.stringify(toReadable(JSON.parse(line, clean)))}\n`;
  } catch {
    return printable(line);
  }
}
