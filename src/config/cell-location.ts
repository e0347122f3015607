/** Which cell the command line is for, and where its state is: all that `wm ps` needs of the settings. Loads no zod. */
import { isAbsolute, join } from 'node:path';
import { CELL_NAME } from '../model/values/name-rules.ts';
import { getUserHome } from './user-home.ts';

export interface CellLocation {
  home: string;
  cell: string;
}

/** `undefined` if a variable is invalid; `readSettings` reports which. */
export function locateCell(env: NodeJS.ProcessEnv): CellLocation | undefined {
  const home = env.WORKER_MANAGER_HOME || stateHome(env);
  const cell = env.CELL || DEFAULT_CELL;
  return isAbsolutePath(home) && CELL_NAME.pattern.test(cell) ? { home, cell } : undefined;
}

export const DEFAULT_CELL = 'default';

export const isAbsolutePath = (text: string): boolean => isAbsolute(text) && !text.includes('\0');

/** The XDG base directory rules: a relative XDG_STATE_HOME is ignored. */
export function stateHome(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_STATE_HOME;
  const state = base && isAbsolute(base) ? base : join(getUserHome(env), '.local', 'state');
  return join(state, 'worker-manager');
}
