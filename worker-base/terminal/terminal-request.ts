/**
 * The request for a terminal, as the manager passes it on. Checked here without zod; the manager's schema has the same
 * rules.
 */
import { Fault, type Issue } from '../../src/model/values/fault.ts';
import {
  TERMINAL_CELLS,
  TERMINAL_LINGER_LIMIT_SECONDS,
  TERMINAL_LINGER_SECONDS,
  TERMINAL_SIZE,
} from '../../src/model/values/limits.ts';
import { readExecRequest } from '../exec/exec-request.ts';

export interface TerminalOrder {
  command?: string[];
  cwd?: string;
  env?: Record<string, string>;
  cols: number;
  rows: number;
  linger_seconds: number;
}

const FIELDS = ['command', 'cwd', 'env', 'cols', 'rows', 'linger_seconds'];

/** Throws a Fault `invalid_command` with all that is wrong. */
export function readTerminalRequest(given: unknown): TerminalOrder {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw refuse([{ path: '', message: 'must be an object' }]);
  const { command, cols, rows, linger_seconds: linger, ...rest } = given as Record<string, unknown>;
  const issues: Issue[] = [];
  for (const path of Object.keys(rest))
    if (!FIELDS.includes(path)) issues.push({ path, message: 'is not a known field' });
  for (const [path, value] of Object.entries({ cols, rows }))
    if (value !== undefined && !(Number.isInteger(value) && isBetween(value, 1, TERMINAL_CELLS)))
      issues.push({ path, message: `must be an integer from 1 to ${TERMINAL_CELLS}` });
  if (linger !== undefined && !isBetween(linger, 0, TERMINAL_LINGER_LIMIT_SECONDS))
    issues.push({ path: 'linger_seconds', message: `must be 0 to ${TERMINAL_LINGER_LIMIT_SECONDS}` });
  if (issues.length > 0) throw refuse(issues);
  const { cwd, env } = readExecRequest({ ...rest, command: command ?? ['sh'] });
  return {
    ...(command !== undefined && { command: command as string[] }),
    ...(cwd !== undefined && { cwd }),
    ...(env && { env }),
    cols: (cols as number | undefined) ?? TERMINAL_SIZE.cols,
    rows: (rows as number | undefined) ?? TERMINAL_SIZE.rows,
    linger_seconds: (linger as number | undefined) ?? TERMINAL_LINGER_SECONDS,
  };
}

const isBetween = (value: unknown, least: number, most: number) =>
  typeof value === 'number' && value >= least && value <= most;

const refuse = (issues: Issue[]) =>
  new Fault(
    'invalid_command',
    `The request was refused: ${issues.map(({ path, message }) => `${path} ${message}`.trim()).join('; ')}.`,
    { issues },
  );
