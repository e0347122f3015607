import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BodyRecord, parseBodyId, parseRecord } from './body-record.ts';
import { removeTree } from './remove-tree.ts';
import { errnoCode, lstatIfAny, nothing, readRegular, writtenAt } from './safe-file.ts';

/** The shim's process, by the three values that identify it permanently. */
export interface Pid {
  pid: number;
  start: string;
  boot: string;
  /** When it was written, in milliseconds since 1970. */
  written_at: number;
}

/** Maximum bytes read of a record: more than a spec with the longest instructions and variables. */
const RECORD_LIMIT = 16 * 1024 ** 2;
/** Maximum bytes read of any other file; each of them has a line or two. */
const LINE_LIMIT = 4096;

/**
 * The manager's directory of one body, `<root>/<cell>/<worker id>/`. Its name is the worker's ID only, so the
 * file system rejects a second body. What the worker itself writes is elsewhere (see `work-directory.ts`).
 * Every file is written atomically (a new file is renamed), and its presence has a meaning:
 *
 *     body.json   what it is made from            killed     we sent SIGKILL to all of it
 *     id.<id>     lets the shim check its place   exit       the exit status
 *     started/    the fence against two starts    error      why it could not be run
 *     pid         the shim, once the body runs    log        what it printed
 *
 * A body that runs as the manager's user can still write here. Therefore, nothing in it is trusted: the
 * record is read once and kept in memory, a pid counts only with the kernel's proof (`members.ts`), no path
 * is read from a file, and every file is read through `safe-file.ts`.
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
   * Makes the directory next to its final path and moves it there in one step. Returns false and changes
   * nothing if the path is already in use.
   */
  static async make(cellPath: string, worker: string, made: BodyRecord): Promise<boolean> {
    const place = new BodyDirectory(cellPath, worker);
    if ((await lstat(place.path).catch(nothing)) !== undefined) return false;
    const draft = new BodyDirectory(cellPath, `.new-${made.id}`);
    await mkdir(draft.path, { recursive: true, mode: 0o700 });
    try {
      await writeFile(draft.file(`id.${made.id}`), '', { mode: 0o600 });
      const handle = await open(draft.file('body.json'), 'wx', 0o600);
      await handle.writeFile(JSON.stringify(made)).finally(() => handle.close());
      await rename(draft.path, place.path);
      return true;
    } catch (error) {
      await rm(draft.path, { recursive: true, force: true });
      // A non-empty directory or a file was created in the meantime.
      if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errnoCode(error) ?? '')) return false;
      throw error;
    }
  }

  /** Identifies this directory among all that have had its path; `undefined` if there is none. */
  identity(): string | undefined {
    // Never follow a symbolic link: its target is not ours.
    const seen = lstatIfAny(this.path);
    return seen?.isDirectory() ? `${seen.ino} ${seen.birthtimeMs}` : undefined;
  }

  /** The record; `undefined` if it is absent, or is not a body of this worker and cell. */
  read(cell: string, worker: string): BodyRecord | undefined {
    return parseRecord(readRegular(this.file('body.json'), RECORD_LIMIT)?.toString(), cell, worker);
  }

  /**
   * The body's ID if its record is unreadable; `undefined` if the directory never was a body of this worker.
   */
  async idOf(worker: string): Promise<string | undefined> {
    const names = await readdir(this.path).catch(() => []);
    const ids = names.filter((name) => name.startsWith('id.')).map((name) => name.slice('id.'.length));
    return ids.length === 1 && parseBodyId(ids[0] ?? '') === worker ? ids[0] : undefined;
  }

  /** The text of a small file; `undefined` if it is absent or is not a regular file. */
  text(name: string): string | undefined {
    return readRegular(this.file(name), LINE_LIMIT)?.toString();
  }

  /** When a file was written, in milliseconds since 1970; `undefined` if it is absent. */
  writtenAt(name: string): number | undefined {
    return writtenAt(this.file(name));
  }

  /** The exit status that the shim wrote; `undefined` if it is absent or is not a valid status. */
  exit(): number | undefined {
    const text = this.text('exit')?.trim() ?? '';
    return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
  }

  /** The shim, after it has written its identity, which it does once. */
  pid(): Pid | undefined {
    if (this.#pid) return this.#pid;
    const [pid, start, boot] = this.text('pid')?.split('\n') ?? [];
    const written_at = this.writtenAt('pid');
    if (!pid || !start || !written_at || !/^[1-9]\d{0,9}$/.test(pid)) return undefined;
    this.#pid = { pid: Number(pid), start: start.trim().replace(/\s+/g, ' '), boot: boot ?? '', written_at };
    return this.#pid;
  }

  /** Closes the fence, so that no shim starts after it. Returns whether one had already started. */
  async fence(): Promise<boolean> {
    return mkdir(this.file('started')).then(
      () => false,
      (error) => {
        if (errnoCode(error) === 'EEXIST') return true;
        nothing(error);
        return false;
      },
    );
  }

  /**
   * Writes a file once; if another manager was first, its text stays. Does nothing if the directory is gone.
   */
  async writeOnce(name: string, text: string): Promise<void> {
    const draft = this.file(`.${name}-${randomBytes(6).toString('hex')}`);
    try {
      await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
      await link(draft, this.file(name));
    } catch (error) {
      if (errnoCode(error) !== 'EEXIST') nothing(error);
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Renames the directory in one step, so that a partial body is never visible, and deletes it. */
  async remove(cellPath: string, bodyId: string): Promise<void> {
    // Use a name that no body can take.
    const gone = join(cellPath, `.gone-${bodyId}-${randomBytes(6).toString('hex')}`);
    await rename(this.path, gone).catch(nothing);
    const taken = await new BodyDirectory(gone, '').idOf(parseBodyId(bodyId) ?? '');
    if (taken !== undefined && taken !== bodyId) {
      // Another manager has removed it and created a new body here; move that one back.
      await rename(gone, this.path);
      return;
    }
    await removeTree(gone);
  }
}

/** Maximum bytes and lines of a log's end that are kept as the last output. */
const TAIL_BYTES = 4096;
const TAIL_LINES = 20;

/** The last lines of a log, at most 20 and 4 KiB; empty if there is none. */
export function readLogTail(path: string): string {
  const bytes = readRegular(path, TAIL_BYTES, 'end') ?? Buffer.alloc(0);
  // The first bytes may be part of a split character.
  const rest = bytes.length < TAIL_BYTES ? 0 : bytes.findIndex((byte) => (byte & 0xc0) !== 0x80);
  const lines = bytes.toString('utf8', Math.max(0, rest)).trimEnd().split('\n');
  return lines.slice(-TAIL_LINES).join('\n');
}
