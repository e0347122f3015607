import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, lstat, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { workerId } from '../../model/index.ts';

/** What `body.json` holds. It never changes once it is written. */
const record = z.object({
  id: z.string(),
  cell: z.string(),
  worker_id: workerId,
  incarnation: z.number(),
  spec_hash: z.string(),
  spec: z.string(),
  epoch: z.number(),
  /** Milliseconds since 1970. */
  created_at: z.number(),
  argv: z.array(z.string()).min(1),
  /** With the body's own credentials for Redis: only the owner may read the file. */
  env: z.record(z.string(), z.string()),
  limits: z.object({
    memory_bytes: z.number().optional(),
    cpus: z.number().optional(),
    pids: z.number().optional(),
  }),
});
export type BodyRecord = z.infer<typeof record>;

/** The shim's process, by the three things that name it for good. */
export interface Pid {
  pid: number;
  start: string;
  boot: string;
  /** When it was written, in milliseconds since 1970. */
  written_at: number;
}

const ID = /^[0-9a-f]{12}-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** A new body's id. It holds its worker's id, so that the directory is found without an index. */
export const newBodyId = (worker: string) => `${randomBytes(6).toString('hex')}-${worker}`;
/** The worker's id in a body's id, or `undefined` where it is no id of ours. */
export const workerOf = (bodyId: string) => ID.exec(bodyId)?.[1];

/**
 * The directory of one body, `<root>/<cell>/<worker id>/`: its name is the worker's id alone, so the file system
 * refuses a second body. Every file in it is written whole (a new file that is renamed), and means by being there:
 *
 *     body.json   what it is made from            killed     we sent SIGKILL to all of it
 *     id.<id>     lets the shim check its place   exit       the exit status
 *     started/    the fence against two starts    error      why it could not be run
 *     pid         the shim, once the body runs    log        what it printed
 *     cgroups     the cgroups made for it         workspace/ WORKSPACE_PATH
 *     secrets.pipe  the wrapper's, while it waits for its secrets
 */
export class BodyDirectory {
  readonly path: string;
  #pid: Pid | undefined;

  constructor(cellPath: string, name: string) {
    this.path = join(cellPath, name);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /**
   * Makes the directory whole beside its place and moves it there in one step. Answers false, and changes
   * nothing, where the place is taken by anything.
   */
  static async make(cellPath: string, worker: string, made: BodyRecord): Promise<boolean> {
    const place = new BodyDirectory(cellPath, worker);
    if (await exists(place.path)) return false;
    const draft = new BodyDirectory(cellPath, `.new-${made.id}`);
    await mkdir(draft.file('workspace'), { recursive: true, mode: 0o700 });
    try {
      await writeFile(draft.file(`id.${made.id}`), '', { mode: 0o600 });
      const handle = await open(draft.file('body.json'), 'wx', 0o600);
      await handle.writeFile(JSON.stringify(made)).finally(() => handle.close());
      await rename(draft.path, place.path);
      return true;
    } catch (error) {
      await rm(draft.path, { recursive: true, force: true });
      // A directory that is not empty, or a file, came in between.
      if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error) ?? '')) return false;
      throw error;
    }
  }

  /** Names this very directory among all that have had its place, or `undefined` where there is none. */
  async identity(): Promise<string | undefined> {
    // A symbolic link is never followed: what it leads to is not ours.
    const seen = await lstat(this.path).catch(nothing);
    return seen?.isDirectory() ? `${seen.ino} ${seen.birthtimeMs}` : undefined;
  }

  /** The record, or `undefined` where there is nothing, or a thing that is not a body of this worker and cell. */
  async read(cell: string, worker: string): Promise<BodyRecord | undefined> {
    const text = await this.text('body.json');
    if (text === undefined) return undefined;
    const made = record.safeParse(parseJson(text));
    if (!made.success || made.data.cell !== cell || made.data.worker_id !== worker) return undefined;
    return workerOf(made.data.id) === worker ? made.data : undefined;
  }

  /** The text of a file, or `undefined` where it is not there. Read at once: a list reads hundreds, of a line each. */
  async text(name: string): Promise<string | undefined> {
    try {
      return readFileSync(this.file(name), 'utf8');
    } catch (error) {
      return nothing(error);
    }
  }

  /** When a file was written, in milliseconds since 1970, or `undefined` where it is not there. */
  async writtenAt(name: string): Promise<number | undefined> {
    const seen = await stat(this.file(name)).catch(nothing);
    return seen && Math.round(seen.mtimeMs);
  }

  /** The shim, once it has written down who it is, which it does once. */
  async pid(): Promise<Pid | undefined> {
    if (this.#pid) return this.#pid;
    const [pid, start, boot] = (await this.text('pid'))?.split('\n') ?? [];
    const written_at = await this.writtenAt('pid');
    if (!pid || !start || !written_at || !/^[1-9]\d*$/.test(pid)) return undefined;
    this.#pid = { pid: Number(pid), start: start.trim().replace(/\s+/g, ' '), boot: boot ?? '', written_at };
    return this.#pid;
  }

  /** Closes the fence: after it no shim begins. Answers whether one had begun before. */
  async fence(): Promise<boolean> {
    return mkdir(this.file('started')).then(
      () => false,
      (error) => {
        if (codeOf(error) === 'EEXIST') return true;
        throw error;
      },
    );
  }

  /** Writes a file once; where another manager was first, its text stays and is answered. */
  async writeOnce(name: string, text: string): Promise<string> {
    const draft = this.file(`.${name}-${randomBytes(6).toString('hex')}`);
    await writeFile(draft, text, { mode: 0o600 });
    try {
      await link(draft, this.file(name));
      return text;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      return (await this.text(name)) ?? text;
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Takes it out of its place in one step, so that nobody sees half a body, and deletes it. */
  async remove(cellPath: string, bodyId: string): Promise<void> {
    const gone = join(cellPath, `.gone-${bodyId}`);
    await rename(this.path, gone).catch(nothing);
    const taken = parseJson((await new BodyDirectory(gone, '').text('body.json')) ?? '{}') as {
      id?: unknown;
    };
    if (taken.id !== undefined && taken.id !== bodyId) {
      // Another manager has removed it and put a new body here: that one goes back.
      await rename(gone, this.path);
      return;
    }
    await rm(gone, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The last lines of a log, at most 20 and 4 KiB. */
export async function tailOf(path: string): Promise<string> {
  const handle = await open(path, 'r').catch(nothing);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 4096);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n');
    return lines.slice(-20).join('\n');
  } finally {
    await handle.close();
  }
}

/** The code of a system error, such as `ENOENT`. */
export const codeOf = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code;

/** A catch for "there is no such thing"; anything else goes on. */
export function nothing(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
  throw error;
}

const exists = async (path: string) => (await lstat(path).catch(nothing)) !== undefined;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
