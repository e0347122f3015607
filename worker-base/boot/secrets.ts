/**
 * Receives the secrets of a body: the manager writes them to a named pipe, so that they are in no
 * environment, label, argument or file of the engine, and not in Redis. Secrets other than the agent's own
 * credentials become files in memory.
 */
import { execFile } from 'node:child_process';
import { chownSync, closeSync, constants, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The program in our images that changes to another user. */
const CONFINE = '/worker/confine';
/** Maximum size of one delivery. */
export const DELIVERY_LIMIT = 1024 ** 2;

/**
 * Creates the pipe (for its owner only), waits for a complete delivery, `{"NAME": "value"}`, and removes the
 * pipe. A delivery that is incomplete, too long or not such an object is ignored, and the manager retries.
 * Returns undefined if `signal` ends the wait.
 */
export async function receiveSecrets(options: {
  pipe: string;
  signal: AbortSignal;
}): Promise<Map<string, string> | undefined> {
  const { pipe, signal } = options;
  let keeper: number | undefined;
  const keep = (next?: number) => {
    if (keeper !== undefined) closeSync(keeper);
    keeper = next;
  };
  try {
    while (!signal.aborted) {
      const reader = await freshPipe(pipe);
      // Open until another pipe replaces it, so that no writer waits for a reader.
      keep(open(pipe));
      const secrets = parse(await readOnce(reader, signal));
      if (secrets && !signal.aborted) return secrets;
    }
    return undefined;
  } finally {
    rmSync(pipe, { force: true });
    keep();
  }
}

/**
 * Writes each secret to its own file in `directory`, completely or not at all. Only the owner can change
 * them, and `group` (the agent's, if it has its own) can read them.
 */
export async function placeSecrets(
  secrets: ReadonlyMap<string, string>,
  directory: string,
  group?: number,
): Promise<void> {
  const shared = group !== undefined;
  // A file can be assigned to a group of its owner; the wrapper in our images may choose its groups.
  const groups = process.getgroups?.() ?? [];
  if (shared && !groups.includes(group)) process.setgroups?.([...groups, group]);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const give = (path: string) => {
    if (shared) chownSync(path, process.getuid?.() ?? 0, group);
  };
  for (const [name, value] of secrets) {
    const draft = join(directory, `.${name}.new`);
    await rm(draft, { force: true });
    await writeFile(draft, value, { mode: 0o400, flag: 'wx' });
    give(draft);
    await chmod(draft, shared ? 0o440 : 0o400);
    await rename(draft, join(directory, name));
  }
  give(directory);
  await chmod(directory, shared ? 0o750 : 0o700);
}

/**
 * Replaces any existing file with a new pipe, and returns its reader, which was opened before any writer
 * could find the pipe: Linux reports the end of a pipe only to a reader that was open when a writer opened it
 * (`fifo_open` in fs/pipe.c).
 */
async function freshPipe(pipe: string): Promise<number> {
  const made = `${pipe}.new`;
  // An existing file is from an earlier attempt or unknown: it is removed, never followed.
  rmSync(made, { force: true });
  await makePipe(made);
  const reader = open(made);
  renameSync(made, pipe);
  return reader;
}

/**
 * Without O_NONBLOCK, the open would block a thread of Node until a writer opens the pipe, and could not be
 * aborted.
 */
function open(pipe: string): number {
  return openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
}

/** Node cannot create one. In a locked image the program is not for all users, and the wrapper takes its group. */
async function makePipe(pipe: string): Promise<void> {
  const argv = ['mkfifo', '-m', '600', pipe];
  const run = async ([program = '', ...args]: string[]) => void (await promisify(execFile)(program, args));
  try {
    await run(argv);
  } catch (error) {
    const file = ['/usr/bin/mkfifo', '/bin/mkfifo'].find((path) => existsSync(path));
    if ((error as NodeJS.ErrnoException).code !== 'EACCES' || !file || !existsSync(CONFINE)) throw error;
    const user = `${process.getuid?.()}:${process.getgid?.()},${statSync(file).gid}`;
    await run([CONFINE, '--user', user, '--', ...argv]);
  }
}

/** Reads everything until the pipe has no writer any more; the text of several writers is not valid JSON. */
function readOnce(fd: number, signal: AbortSignal): Promise<string | undefined> {
  const socket = new Socket({ fd, readable: true, writable: false });
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const abort = () => socket.destroy();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    socket.on('data', (part) => {
      bytes += part.length;
      // Read to its end anyway, because its writer would block otherwise.
      if (bytes <= DELIVERY_LIMIT) parts.push(part);
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      signal.removeEventListener('abort', abort);
      resolve(bytes > DELIVERY_LIMIT ? undefined : Buffer.concat(parts).toString('utf8'));
    });
  });
}

function parse(text: string | undefined): Map<string, string> | undefined {
  if (!text) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    const entries = Object.entries(parsed);
    return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
      ? new Map(entries)
      : undefined;
  } catch {
    return undefined;
  }
}
