/**
 * The log: one JSON object a line on stdout, for people where stdout is a terminal.
 *
 * What must always hold: no secret is written. What is known by its place is cut by path, credentials in URLs and
 * the secrets that the manager knows are cut out of the finished line, wherever they came in from.
 * Fields have the same names everywhere: `request_id` for a command, `worker_id` for a worker, `err` for an error;
 * `log.child({worker_id})` gives them to all that a part of the manager says.
 *
 * Must not import anything of ours; must not read the environment.
 */
import { type DestinationStream, type Level, type Logger, pino, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { printable } from './printable.ts';
import { HIDDEN, redactJson } from './redact.ts';

export type { Logger } from 'pino';

export interface LogOptions {
  level?: Level | 'silent';
  /** Lines for people instead of JSON; by default where stdout is a terminal. */
  pretty?: boolean;
  /** Where lines go instead of stdout. */
  destination?: DestinationStream;
  version?: string;
  /** Values that must never appear, such as the API's token and Redis' password. */
  secrets?: readonly string[];
}

/** Fields that hold secrets, down to the third level. `env` is the user's, and users put secrets there all the same. */
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
/** ioredis hangs the command, with all its arguments, on the errors that it throws. */
const SECRET_PATHS = [
  ...SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
  'err.command.args',
  'err.aggregateErrors[*].command.args',
  'error.command.args',
];

export function createLogger(options: LogOptions = {}): Logger {
  const { level = 'info', version, secrets = [], destination } = options;
  const forPeople = options.pretty ?? (destination === undefined && process.stdout.isTTY === true);
  // stdout without a worker thread: a line that was logged before a crash is written.
  const plain = destination ?? pino.destination({ fd: 1, sync: true });
  return pino(
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
}

function prettyStream(plain: DestinationStream, colorize: boolean): DestinationStream {
  const format = prettyFactory({
    colorize,
    ignore: 'service,version',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return { write: (line) => plain.write(format(withoutControls(line))) };
}

/** JSON escapes control characters; the pretty form prints messages and stacks as they are, so they are removed first. */
function withoutControls(line: string): string {
  const clean = (_key: string, value: unknown) => (typeof value === 'string' ? printable(value) : value);
  try {
    return `${JSON.stringify(JSON.parse(line, clean))}\n`;
  } catch {
    return printable(line);
  }
}
