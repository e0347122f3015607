/**
 * Unpacks a tar archive into a folder.
 *
 * Invariants: nothing outside of the folder is touched, whatever names and links the archive has: every folder is opened separately and never through
 * a link; a file is complete under its name, or is not there; no device, owner, setuid or setgid comes from an archive.
 */
import { chmodSync, closeSync, futimesSync, linkSync, symlinkSync, unlinkSync, writeSync } from 'node:fs';
import { sendJson } from '../../../src/http/send-json.ts';
import type { Unpacked } from '../../../src/model/doors/file.ts';
import { encodeFilePath, isParentName, splitPath } from '../../../src/model/doors/file-path.ts';
import { Fault } from '../../../src/model/values/fault.ts';
import { TarError } from '../../archive/tar-header.ts';
import { type FileCall, withPlace } from './call.ts';
import { createDraft, removeOldDrafts } from './drafts.ts';
import { fileFault, showPath, toFileFault } from './file-fault.ts';
import { withFolder } from './folders.ts';
import { groupIn } from './group.ts';
import { inFolder, makeFolder, openFolder, statsOf } from './place.ts';
import { type TarEntry, TarReader } from './tar-reader.ts';
import { checkReplaceable, readRoom, writeBatch } from './write-file.ts';

/** Folders whose permissions are set at the end; more than that get theirs at once. */
const MOST_LATE = 100_000;
const S_IWUSR = 0o200;

/** PUT of an archive. The folder is created if it is missing. Entries before a bad one stay. */
export async function receiveArchive(call: FileCall): Promise<void> {
  const { request, response } = call;
  const room = readRoom(request);
  await withPlace(call, { follow: true, parents: true }, async (place) => {
    if (place.name && !place.stats()) makeFolder(place.folder, place.name);
    const root = openFolder(place.folder, place.name ?? Buffer.from('.'));
    const unpacker = new Unpacker(root, place.path, room);
    try {
      for await (const entry of new TarReader(request).entries()) await unpacker.add(entry);
      if (!request.complete) throw new Fault('unavailable', 'The upload was cut.');
      unpacker.finish();
    } catch (error) {
      if (!(error instanceof TarError)) throw error;
      const message = `The archive was refused: ${error.message}.`;
      throw new Fault('invalid_command', message, { reason: 'invalid_archive' });
    } finally {
      unpacker.close();
      closeSync(root);
    }
    sendJson(response, 200, unpacker.done);
  });
}

class Unpacker {
  readonly done: Unpacked = { files: 0, directories: 0, bytes: 0 };
  readonly #root: number;
  readonly #path: string;
  readonly #room: ReturnType<typeof readRoom>;
  /** The folder of the last entry, because the next one is usually in it too. */
  #last: { key: string; fd: number; group: number | undefined } | undefined;
  /** Permissions of folders that would keep out their own content. */
  readonly #late: { names: Buffer[]; mode: number }[] = [];

  constructor(root: number, path: string, room: ReturnType<typeof readRoom>) {
    this.#root = root;
    this.#path = path;
    this.#room = room;
  }

  async add(entry: TarEntry): Promise<void> {
    const names = splitPath(entry.name);
    const path = [this.#path, encodeFilePath(names)].filter((part) => part !== '').join('/');
    if (entry.name[0] === 0x2f || names.some(isParentName)) throw refuse(path, 'leads out of the folder');
    if (entry.name.includes(0) || names.some(({ length }) => length > 255))
      throw refuse(path, 'cannot be the name of a file');
    try {
      if (entry.type === 'directory') return this.#addFolder(names, entry);
      const name = names.pop();
      if (!name) throw refuse(path, 'has no name');
      const { fd, group } = this.#open(names);
      const old = statsOf(inFolder(fd, name));
      checkReplaceable(old, path);
      if (entry.type === 'file') await this.#addFile({ fd, group }, name, entry, path, old !== undefined);
      else if (entry.type === 'symlink')
        addLink(fd, name, () => symlinkSync(entry.target, inFolder(fd, name)));
      else if (entry.type === 'link') this.#addHardLink(fd, name, entry, path);
      else throw refuse(path, 'is neither a file, a folder nor a link');
      this.done.files += 1;
    } catch (error) {
      throw toFileFault(error, path);
    }
  }

  /** Sets what could not be set before. */
  finish(): void {
    for (const { names, mode } of this.#late.reverse()) {
      const { fd } = this.#open(names);
      chmodSync(inFolder(fd), mode);
    }
  }

  close(): void {
    if (this.#last) closeSync(this.#last.fd);
    this.#last = undefined;
  }

  #addFolder(names: Buffer[], { mode }: TarEntry): void {
    const name = names.at(-1);
    if (!name) return;
    const parent = this.#open(names.slice(0, -1));
    if (makeFolder(parent.fd, name)) {
      this.done.directories += 1;
      const wanted = mode & 0o777;
      const late = (wanted & S_IWUSR) === 0 || (wanted & 0o100) === 0;
      if (late && this.#late.length < MOST_LATE) this.#late.push({ names, mode: wanted });
      else withFolder(inFolder(parent.fd, name), (fd) => chmodSync(inFolder(fd), wanted | keptBits(fd)));
    } else if (!statsOf(inFolder(parent.fd, name))?.isDirectory())
      throw fileFault('ENOTDIR', encodeFilePath(names));
  }

  async #addFile(
    { fd, group }: { fd: number; group: number | undefined },
    name: Buffer,
    { content, size, mode, mtime }: TarEntry,
    path: string,
    old: boolean,
  ): Promise<void> {
    if (this.done.bytes + size > this.#room.bytes) throw this.#room.fault(path);
    const draft = createDraft(fd, mode & 0o777, group);
    try {
      for await (const part of content) {
        // Small files at once: a turn of the thread pool for each would take longer than the file.
        if (part.length === size) writeSync(draft.fd, part);
        else await writeBatch(draft.fd, [part]);
      }
      futimesSync(draft.fd, mtime, mtime);
      draft.commit(name, old);
    } finally {
      draft.close();
    }
    this.done.bytes += size;
  }

  /** A further name of a file that the archive has brought, or that was in the folder. */
  #addHardLink(folder: number, name: Buffer, { target }: TarEntry, path: string): void {
    const names = splitPath(target);
    const last = names.pop();
    if (!last || target[0] === 0x2f || names.some(isParentName) || isParentName(last))
      throw refuse(path, 'is a link to a file outside of the folder');
    const from = this.#walk(names);
    try {
      if (!statsOf(inFolder(from, last))?.isFile())
        throw refuse(path, 'is a link to something that is not a file');
      addLink(folder, name, () => linkSync(inFolder(from, last), inFolder(folder, name)));
    } finally {
      closeSync(from);
    }
  }

  /** The folder with those names, which is created if it is missing. Closed with the next one. */
  #open(names: readonly Buffer[]): { fd: number; group: number | undefined } {
    const key = encodeFilePath(names);
    if (this.#last?.key === key) return this.#last;
    const fd = this.#walk(names);
    this.close();
    removeOldDrafts(fd);
    this.#last = { key, fd, group: groupIn(fd) };
    return this.#last;
  }

  #walk(names: readonly Buffer[]): number {
    let fd = openFolder(this.#root, Buffer.from('.'));
    for (const name of names) {
      const parent = fd;
      try {
        fd = this.#enter(parent, name);
      } finally {
        closeSync(parent);
      }
    }
    return fd;
  }

  #enter(parent: number, name: Buffer): number {
    try {
      return openFolder(parent, name);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' && makeFolder(parent, name)) {
        this.done.directories += 1;
        return openFolder(parent, name);
      }
      if (statsOf(inFolder(parent, name))?.isSymbolicLink())
        throw refuse(
          encodeFilePath([name]),
          'is a symbolic link, through which an archive is not unpacked',
          'conflict',
        );
      throw error;
    }
  }
}

/** The bits of a folder that decide about the group of its content. */
const keptBits = (fd: number) => Number(statsOf(inFolder(fd))?.mode ?? 0n) & 0o2000;

/** Creates a link in place of what has its name. */
function addLink(folder: number, name: Buffer, create: () => void): void {
  try {
    create();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    unlinkSync(inFolder(folder, name));
    create();
  }
}

const refuse = (path: string, why: string, code: Fault['code'] = 'invalid_command') =>
  new Fault(code, `The archive was refused: ${showPath(path)} ${why}.`, { reason: 'invalid_archive' });
