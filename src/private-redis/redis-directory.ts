/** The files that a private Redis keeps from one start to the next: `port` and `password`, beside its data. */
import { chmodSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../config/make-folders.ts';
import { errorMessage, Fault } from '../model/index.ts';

/** Makes the directory, for this user alone; throws a Fault if it can't. */
export function prepareDirectory(directory: string): string {
  try {
    makeFolders(directory);
    chmodSync(directory, 0o700);
    return realpathSync(directory);
  } catch (error) {
    throw new Fault(
      'unavailable',
      `The private Redis cannot keep its data in ${directory}: ${errorMessage(error)}. Set WORKER_MANAGER_HOME to a folder of your own, or REDIS_URL.`,
      { cause: error },
    );
  }
}

/** The port that its server has, or had last; `undefined` if there is none that can be used. */
export function readPort(directory: string): number | undefined {
  const port = Number(readKept(directory, 'port'));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

/** The content of a file of the directory; `undefined` if there is none. */
export function readKept(directory: string, name: string): string | undefined {
  try {
    return readFileSync(join(directory, name), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, so that a manager that joins never reads half of it. */
export function writeKept(directory: string, name: string, text: string): void {
  if (readKept(directory, name) === text) return;
  const draft = join(directory, `.${name}`);
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, join(directory, name));
}

/** What is wrong with the server of a directory, and what to do. */
export function refusal(directory: string, what: string): string {
  const pid = readKept(directory, 'redis.pid');
  return `The private Redis in ${directory}${pid ? ` (process ${pid})` : ''} ${what}. Try again; if that does not help, end that process, or set REDIS_URL, or CELL for another cell.`;
}
