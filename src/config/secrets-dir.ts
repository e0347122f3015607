/**
 * The operator's secrets: one file each in one directory, read by name when a body requests them, and not stored.
 *
 * Invariants: no content is in an error or a log; a name never resolves to a file outside of the directory, even
 * through links (links inside of it are allowed, because Kubernetes mounts secrets that way).
 */
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { Fault, workerSpec } from '../model/index.ts';

/** Maximum number of bytes of one secret. */
const LIMIT = 65_536;
/** Maximum number of bytes of a delivery as JSON, which a wrapper accepts. */
const DELIVERY_LIMIT = 1024 ** 2;
const NAMES = workerSpec.shape.secrets;

export interface Secrets {
  /**
   * Returns all of them by name; throws a Fault `unavailable` that says which one is missing or cannot be read, and
   * where.
   */
  read(names: readonly string[]): Promise<Record<string, string>>;
  /** The secrets that do not exist or can't be read. */
  missing(names: readonly string[]): Promise<string[]>;
}

/** `directory` is the operator's SECRETS_DIR; nothing is read before a call. */
export function openSecrets(directory: string | undefined): Secrets {
  async function read(names: readonly string[]): Promise<Record<string, string>> {
    const values = await Promise.all(
      names.map(async (name) => [name, await readOne(directory, name)] as const),
    );
    const secrets = Object.fromEntries(values);
    if (Buffer.byteLength(JSON.stringify(secrets)) <= DELIVERY_LIMIT) return secrets;
    throw new Fault(
      'unavailable',
      `The secrets ${names.join(', ')} have together more than ${DELIVERY_LIMIT} bytes.`,
    );
  }
  async function missing(names: readonly string[]): Promise<string[]> {
    const tries = await Promise.allSettled(names.map((name) => readOne(directory, name)));
    return names.filter((_name, at) => tries[at]?.status === 'rejected');
  }
  return { read, missing };
}

async function readOne(directory: string | undefined, name: string): Promise<string> {
  const fail = (why: string) => new Fault('unavailable', `The secret ${name} ${why}`);
  if (!NAMES.safeParse([name]).success)
    throw new Fault('invalid_command', 'The name of a secret is not a valid file name.');
  if (directory === undefined)
    throw fail("can't be read: SECRETS_DIR, the directory with one file for each secret, is not set.");
  const place = join(directory, name);
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    const file = await realpath(place);
    if (!file.startsWith(`${await realpath(directory)}${sep}`))
      throw fail(`is a link that leads out of ${directory}; it is not followed.`);
    // O_NONBLOCK: a named pipe would block the read forever.
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Fault) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw fail(
      code === 'ENOENT' ? `is missing: put it into ${place}.` : `can't be read from ${place} (${code}).`,
    );
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw fail(`is not a file: ${place}.`);
    const bytes = Buffer.alloc(LIMIT + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got)
      got = (await handle.read(bytes, length, bytes.length - length, length)).bytesRead;
    if (length > LIMIT) throw fail(`has more than ${LIMIT} bytes: ${place}.`);
    const text = decode(bytes.subarray(0, length));
    if (text === undefined) throw fail(`is not UTF-8 text: ${place}.`);
    // Editors and `echo` add a trailing newline that is not part of the secret.
    return text.replace(/\r?\n$/, '');
  } finally {
    await handle.close();
  }
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
