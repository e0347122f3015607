/**
 * The request for a process, as the manager passes it on or Redis has it. Checked here without zod; the manager's schema
 * has the same rules, and a test compares the two.
 */
import { Fault, type Issue } from '../../src/model/values/fault.ts';
import {
  EXEC_ARGUMENT_LIMIT,
  EXEC_ENV_LIMIT,
  EXEC_PATH_LIMIT,
  EXEC_SECONDS,
  EXEC_TEXT_LIMIT,
  EXEC_VARIABLE,
} from '../../src/model/values/limits.ts';

export interface ExecRequest {
  command?: string[];
  shell?: string;
  cwd?: string;
  env?: Record<string, string>;
  stdin?: Buffer;
  open_stdin?: boolean;
  timeout_seconds?: number;
  detach?: boolean;
}

const FIELDS = [
  'command',
  'shell',
  'cwd',
  'env',
  'stdin',
  'stdin_base64',
  'open_stdin',
  'timeout_seconds',
  'detach',
];

/** Throws a Fault `invalid_command` with all that is wrong. */
export function readExecRequest(given: unknown): ExecRequest {
  const issues: Issue[] = [];
  const demand = (path: string, right: boolean, message: string) => {
    if (!right) issues.push({ path, message });
  };
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw refuse([{ path: '', message: 'must be an object' }]);
  const fields = given as Record<string, unknown>;
  const {
    command,
    shell,
    cwd,
    env,
    stdin,
    stdin_base64: base64,
    open_stdin,
    timeout_seconds: seconds,
    detach,
  } = fields;
  for (const name of Object.keys(fields)) demand(name, FIELDS.includes(name), 'is not a known field');
  const words = Array.isArray(command) && command.length >= 1 && command.length <= EXEC_ARGUMENT_LIMIT;
  if (command !== undefined)
    demand(
      'command',
      words && command.every((word) => isText(word)) && command[0] !== '',
      `must be a list of 1 to ${EXEC_ARGUMENT_LIMIT} strings without NUL`,
    );
  if (shell !== undefined)
    demand('shell', isText(shell) && shell !== '', 'must be a command line without NUL');
  demand(
    'command',
    (command === undefined) !== (shell === undefined),
    'is required, or `shell`, but not both',
  );
  if (cwd !== undefined)
    demand('cwd', isText(cwd, EXEC_PATH_LIMIT) && cwd !== '', 'must be a path without NUL');
  const pairs =
    typeof env === 'object' && env !== null && !Array.isArray(env) ? Object.entries(env) : undefined;
  if (env !== undefined)
    demand(
      'env',
      pairs !== undefined &&
        pairs.length <= EXEC_ENV_LIMIT &&
        pairs.every(([name, value]) => EXEC_VARIABLE.test(name) && isText(value)),
      `must have at most ${EXEC_ENV_LIMIT} variables with values without NUL`,
    );
  if (stdin !== undefined) demand('stdin', typeof stdin === 'string', 'must be a string');
  if (base64 !== undefined)
    demand('stdin_base64', typeof base64 === 'string' && BASE64.test(base64), 'must be base64');
  const inputs = [stdin, base64, open_stdin || undefined].filter((one) => one !== undefined);
  demand('stdin', inputs.length <= 1, 'excludes `stdin_base64` and `open_stdin`');
  for (const [name, value] of Object.entries({ open_stdin, detach }))
    demand(name, value === undefined || typeof value === 'boolean', 'must be true or false');
  if (seconds !== undefined)
    demand(
      'timeout_seconds',
      typeof seconds === 'number' && seconds > 0 && seconds <= EXEC_SECONDS,
      `must be above 0 and at most ${EXEC_SECONDS}`,
    );
  if (issues.length > 0) throw refuse(issues);
  const input =
    typeof stdin === 'string'
      ? Buffer.from(stdin)
      : typeof base64 === 'string'
        ? Buffer.from(base64, 'base64')
        : undefined;
  const { stdin: _text, stdin_base64: _bytes, ...rest } = fields;
  return { ...(rest as ExecRequest), ...(input && { stdin: input }) };
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

const isText = (value: unknown, limit = EXEC_TEXT_LIMIT) =>
  typeof value === 'string' && !value.includes('\0') && value.length <= limit;

const refuse = (issues: Issue[]) =>
  new Fault(
    'invalid_command',
    `The request was refused: ${issues.map(({ path, message }) => `${path} ${message}`.trim()).join('; ')}.`,
    { issues },
  );
