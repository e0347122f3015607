/** Requests for processes in a worker, and what is reported of them. */
import { z } from 'zod';
import {
  EXEC_ARGUMENT_LIMIT,
  EXEC_ENV_LIMIT,
  EXEC_PATH_LIMIT,
  EXEC_SECONDS,
  EXEC_TEXT_LIMIT,
  EXEC_VARIABLE,
} from '../values/limits.ts';

const text = z
  .string()
  .max(EXEC_TEXT_LIMIT)
  // The kernel ends a string at NUL.
  .regex(/^[^\0]*$/, 'must not contain NUL');
const nonEmpty = text.min(1);

/** The fields of a request; `execRequest` has the rules between them. */
export const execFields = {
  command: z
    .array(text)
    .min(1)
    .max(EXEC_ARGUMENT_LIMIT)
    .refine(([program]) => program !== '', 'must begin with a program')
    .optional()
    .describe('program and arguments; either this or `shell`'),
  shell: nonEmpty.optional().describe('a command line for `/bin/sh`'),
  cwd: nonEmpty
    .max(EXEC_PATH_LIMIT)
    .optional()
    .describe('directory, by default the workspace, to which it is relative'),
  env: z
    .record(z.string().regex(EXEC_VARIABLE, 'must be a name of letters, digits and _'), text)
    .refine(
      (all) => Object.keys(all).length <= EXEC_ENV_LIMIT,
      `must have at most ${EXEC_ENV_LIMIT} variables`,
    )
    .optional()
    .describe("variables in addition to the agent's"),
  stdin: z.string().optional().describe('the whole standard input, as text'),
  stdin_base64: z
    .string()
    .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'must be base64')
    .optional()
    .describe('the same, as bytes'),
  timeout_seconds: z
    .number()
    .positive()
    .max(EXEC_SECONDS)
    .optional()
    .describe('it is ended after this time, with SIGTERM and then SIGKILL'),
};

/** Whether exactly one of the two is given. */
export const hasOneCommand = ({ command, shell }: { command?: unknown; shell?: unknown }): boolean =>
  (command === undefined) !== (shell === undefined);
export const ONE_COMMAND = { path: ['command'], message: 'is required, or `shell`, but not both' };

/** At most one kind of input. */
export const hasOneInput = (given: {
  stdin?: unknown;
  stdin_base64?: unknown;
  open_stdin?: unknown;
}): boolean =>
  [given.stdin, given.stdin_base64, given.open_stdin || undefined].filter((one) => one !== undefined)
    .length <= 1;
export const ONE_INPUT = { path: ['stdin'], message: 'excludes `stdin_base64` and `open_stdin`' };

export const execRequest = z
  .strictObject({
    ...execFields,
    open_stdin: z
      .boolean()
      .optional()
      .describe('keep standard input open for `…/processes/{process_id}/stdin`'),
    detach: z.boolean().optional().describe('do not wait: it outlives this request, and ends with the body'),
  })
  .refine(hasOneCommand, ONE_COMMAND)
  .refine(hasOneInput, ONE_INPUT)
  .meta({ id: 'ExecRequest', description: 'A command to run in a worker.' });

/** How a process ended. */
const endFields = {
  exit_code: z
    .number()
    .int()
    .describe(
      'as a shell reports it: 128 and the signal, 124 after the timeout, 126 if it was refused, 127 if not found',
    ),
  signal: z.string().nullable().describe('the signal that ended it, such as `SIGKILL`'),
  oom: z.literal(true).optional().describe("the kernel killed it, because the body's memory was used up"),
  timed_out: z.literal(true).optional().describe('`timeout_seconds` was over'),
  error: z.string().optional().describe('why it was refused, not started or killed'),
};

export const execResult = z
  .object({
    process_id: z.string(),
    ...endFields,
    stdout: z.string().describe('U+FFFD stands for bytes that are not UTF-8'),
    stderr: z.string(),
    stdout_base64: z.string().optional().describe('the bytes of `stdout`, if they are not UTF-8'),
    stderr_base64: z.string().optional().describe('the bytes of `stderr`, if they are not UTF-8'),
    truncated: z.literal(true).optional().describe('only the end of the output, at most 4 MiB, is here'),
  })
  .meta({ id: 'ExecResult', description: 'The end of a command, and its output.' });

export const processView = z
  .object({
    process_id: z.string(),
    status: z.enum(['running', 'ended']),
    command: z.array(z.string()).optional(),
    shell: z.string().optional(),
    cwd: z.string(),
    detached: z.boolean().describe('it outlives the client that started it'),
    pid: z.number().int().optional().describe('in the body'),
    stdin_open: z.boolean().describe('whether its standard input can be written to'),
    output_bytes: z
      .number()
      .int()
      .describe('bytes of both output streams so far: the offset of the next one'),
    started_at: z.string(),
    ended_at: z.string().optional(),
    ...z.object(endFields).partial().shape,
  })
  .meta({ id: 'Process', description: 'A process that a client has started in a worker.' });

/** Signals that can be sent. */
export const SIGNALS = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGKILL',
  'SIGUSR1',
  'SIGUSR2',
  'SIGTERM',
  'SIGCONT',
  'SIGSTOP',
  'SIGWINCH',
] as const;
