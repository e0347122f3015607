/** What `wm cp` does on this machine. */
import type { ChildProcess } from 'node:child_process';
import { type Stats, statSync } from 'node:fs';
import { Fault } from '../../model/values/fault.ts';

/** Characters of what tar reports. */
const SAID_CHARACTERS = 1000;

/** Waits for the end of a tar; throws a Fault with what it reports if it has failed. */
export async function untilDone(tar: ChildProcess): Promise<void> {
  let said = '';
  tar.stderr?.on('data', (part: Buffer) => {
    said = (said + part.toString()).slice(0, SAID_CHARACTERS);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(
        new Fault('unsupported', `The program tar could not be started here: ${cause.message}.`, { cause }),
      );
    tar.once('error', fail);
    tar.once('close', resolve);
  });
  if (code === 0) return;
  tar.stdout?.destroy();
  throw new Fault('conflict', `Not everything was copied, because tar failed here (${code}): ${said.trim()}`);
}

/** What is known of a file here; throws a Fault if it is missing, unless it may be. */
export function statHere(path: string): Stats;
export function statHere(path: string, mayMiss: true): Stats | undefined;
export function statHere(path: string, mayMiss = false): Stats | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found || mayMiss) return found;
  } catch (cause) {
    throw new Fault('conflict', `${path} cannot be read here: ${(cause as Error).message}.`, { cause });
  }
  throw new Fault('not_found', `${path} does not exist here.`);
}

/** Whether a file of this machine could not be opened or written. */
export const isFileError = (error: unknown): error is NodeJS.ErrnoException => {
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall === 'open' || syscall === 'write';
};
