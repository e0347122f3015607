import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BodyRecord, parseBodyId, parseRecord } from './body-record.ts';
import { removeTree } from './remove-tree.ts';
import { readRegular, writtenAt } from './safe-file.ts';

/** The shim's process, by the three things that name it for good. */
export interface Pid {
  pid: number;
  start: string;
  boot: string;
  /** When it was written, in milliseconds since 1970. */
  written_at: number;
}

/** Bytes that are read of a record: more than a spec with the longest instructions and variables. */
const RECORD_LIMIT = 16 * 1024 ** 2;
/** Bytes that are read of any other file; each of them is a line or two. */
const LINE_LIMIT = 4096;

/**
 * The manager's directory of one body, `<root>/<cell>/<worker id>/`: its name is the worker's id alone, so the file
 * system refuses a second body. What the worker itself writes is elsewhere (see `work-directory.ts`). Every file in it
 * is written whole (a new file that is renamed), and means by being there:
 *
 *     body.json   what it is made from            killed     we sent SIGKILL to all of it
 *     id.<id>     lets the shim check its place   exit       the exit status
 *     started/    the fence against two starts    error      why it could not be run
 *     pid         the shim, once the body runs    log        what it printed
 *
 * A body that has the manager's user can still write here. Nothing in it is therefore acted on as it is: the record is
 * read once and kept in memory, a pid counts only with the kernel's proof (`members.ts`), no path is read from a file,
 * and every file is read as `safe-file.ts` does.
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
   * Makes the directory whole beside its place and moves it there in one step. Returns false, and changes nothing, if
   * the place is taken by anything.
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
      // A directory that is not empty, or a file, came in between.
      if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errnoCode(error) ?? '')) return false;
      throw error;
    }
  }

  /** Names this very directory among all that have had its place, or `undefined` if there is none. */
  async identity(): Promise<string | undefined> {
    // A symbolic link is never followed: what it leads to is not ours.
    const seen = await lstat(this.path).catch(nothing);
    return seen?.isDirectory() ? `${seen.ino} ${seen.birthtimeMs}` : undefined;
  }

  /** The record, or `undefined` if there is none, or a thing that is not a body of this worker and cell. */
  read(cell: string, worker: string): BodyRecord | undefined {
    return parseRecord(readRegular(this.file('body.json'), RECORD_LIMIT)?.toString(), cell, worker);
  }

  /** The body's id, of a directory whose record can't be read; `undefined` if it never was a body of this worker. */
  async idOf(worker: string): Promise<string | undefined> {
    const names = await readdir(this.path).catch(() => []);
    const ids = names.filter((name) => name.startsWith('id.')).map((name) => name.slice('id.'.length));
    return ids.length === 1 && parseBodyId(ids[0] ?? '') === worker ? ids[0] : undefined;
  }

  /** The text of a small file, or `undefined` if it is not there or is not a regular file. */
  text(name: string): string | undefined {
    return readRegular(this.file(name), LINE_LIMIT)?.toString();
  }

  /** When a file was written, in milliseconds since 1970, or `undefined` if it is not there. */
  writtenAt(name: string): number | undefined {
    return writtenAt(this.file(name));
  }

  /** The exit status that the shim wrote, or `undefined` if there is none that a shell could write. */
  exit(): number | undefined {
    const text = this.text('exit')?.trim() ?? '';
    return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
  }

  /** The shim, once it has written down who it is, which it does once. */
  pid(): Pid | undefined {
    if (this.#pid) return this.#pid;
    const [pid, start, boot] = this.text('pid')?.split('\n') ?? [];
    const written_at = this.writtenAt('pid');
    if (!pid || !start || !written_at || !/^[1-9]\d{0,9}$/.test(pid)) return undefined;
    this.#pid = { pid: Number(pid), start: start.trim().replace(/\s+/g, ' '), boot: boot ?? '', written_at };
    return this.#pid;
  }

  /** Closes the fence: after it no shim begins. Returns whether one had begun before. */
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

  /** Writes a file once; if another manager was first, its text stays. In a directory that is gone, writes nothing. */
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

  /** Takes it out of its place in one step, so that half a body is never seen, and deletes it. */
  async remove(cellPath: string, bodyId: string): Promise<void> {
    // With a name that no body can take before.
    const gone = join(cellPath, `.gone-${bodyId}-${randomBytes(6).toString('hex')}`);
    await rename(this.path, gone).catch(nothing);
    const taken = await new BodyDirectory(gone, '').idOf(parseBodyId(bodyId) ?? '');
    if (taken !== undefined && taken !== bodyId) {
      // Another manager has removed it and put a new body here: that one goes back.
      await rename(gone, this.path);
      return;
    }
    await removeTree(gone);
  }
}

/** Bytes and lines of a log's end that are kept as the last output. */
const TAIL_BYTES = 4096;
const TAIL_LINES = 20;

/** The last lines of a log, at most 20 and 4 KiB; empty if there is none. */
export function readLogTail(path: string): string {
  const bytes = readRegular(path, TAIL_BYTES, 'end') ?? Buffer.alloc(0);
  // The first bytes may be the rest of a character.
  const rest = bytes.length < TAIL_BYTES ? 0 : bytes.findIndex((byte) => (byte & 0xc0) !== 0x80);
  const lines = bytes.toString('utf8', Math.max(0, rest)).trimEnd().split('\n');
  return lines.slice(-TAIL_LINES).join('\n');
}

/** The code of a system error, such as `ENOENT`. */
export const errnoCode = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code;

/** A catch for "there is no such thing"; anything else is thrown again. */
export function nothing(error: unknown): undefined {
  if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ENOTDIR') return undefined;
  throw error;
}
