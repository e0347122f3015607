import { statSync } from 'node:fs';
import { Fault } from '../../src/model/values/fault.ts';

/**
 * Throws a Fault `invalid_command` if a process cannot be started there, as far as the wrapper can see: a directory of the
 * agent's own is entered as the agent.
 */
export function checkDirectory(path: string): void {
  const refuse = (message: string) =>
    new Fault('invalid_command', `The request was refused: cwd ${message}.`, {
      issues: [{ path: 'cwd', message }],
    });
  try {
    if (statSync(path).isDirectory()) return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') return;
    throw refuse(`${path} does not exist in the worker (${code})`);
  }
  throw refuse(`${path} is not a directory`);
}
