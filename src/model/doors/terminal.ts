/** Requests for terminals in a worker, and what is reported of them. */
import { z } from 'zod';
import {
  TERMINAL_CELLS,
  TERMINAL_LINGER_LIMIT_SECONDS,
  TERMINAL_LINGER_SECONDS,
  TERMINAL_SIZE,
} from '../values/limits.ts';
import { execFields } from './exec.ts';

export const terminalSize = z.coerce.number().int().min(1).max(TERMINAL_CELLS);
const size = z.number().int().min(1).max(TERMINAL_CELLS);

/** How long a terminal is kept without viewers, as a field and in a query. */
export const lingerSeconds = z.coerce
  .number()
  .min(0)
  .max(TERMINAL_LINGER_LIMIT_SECONDS)
  .default(TERMINAL_LINGER_SECONDS)
  .describe('the terminal is closed when it had no viewers for this time');

export const terminalRequest = z
  .strictObject({
    command: execFields.command.describe('program and arguments; by default a shell'),
    cwd: execFields.cwd,
    env: execFields.env,
    cols: size.default(TERMINAL_SIZE.cols).describe('columns, until a viewer with a size attaches'),
    rows: size.default(TERMINAL_SIZE.rows),
    linger_seconds: z
      .number()
      .min(0)
      .max(TERMINAL_LINGER_LIMIT_SECONDS)
      .default(TERMINAL_LINGER_SECONDS)
      .describe('the terminal is closed when it had no viewers for this time'),
  })
  .meta({ id: 'TerminalRequest', description: 'A terminal to open in a worker.' });

export const terminalView = z
  .object({
    pty_id: z.string(),
    status: z.enum(['running', 'ended']),
    command: z.array(z.string()),
    cwd: z.string(),
    pid: z.number().int().describe('in the body'),
    cols: z.number().int(),
    rows: z.number().int(),
    viewers: z.number().int().describe('clients that view it now'),
    started_at: z.string(),
    ended_at: z.string().optional(),
    exit_code: z.number().int().optional().describe('as a shell reports it: 128 and the signal'),
    signal: z.string().nullable().optional().describe('the signal that ended it, such as `SIGKILL`'),
  })
  .meta({ id: 'Terminal', description: 'A terminal that a client has opened in a worker.' });
