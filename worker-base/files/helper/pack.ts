/**
 * Sends a folder or a file as a tar archive.
 *
 * Invariants: a link is packed as a link and never entered; an archive that could not be completed is cut, and never looks complete;
 * memory is bounded.
 */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { BLOCK, encodeTarHeader, padding } from '../../archive/tar-header.ts';
import { type FileCall, withPlace, writeTo } from './call.ts';
import { fileFault } from './file-fault.ts';
import { openNames, readNames } from './folders.ts';
import { type FilePlace, inFolder, statsOf } from './place.ts';
import { sendRange } from './send-range.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** Files up to this size are read at once, so that they cannot change meanwhile. */
const SMALL_BYTES = 256 * 1024;
/** Bytes that are sent at once. */
const BATCH_BYTES = 256 * 1024;
const NONE = Buffer.alloc(0);
const SLASH = Buffer.from('/');

/** GET of an archive: the names are relative to a folder; a file is the only entry of its archive. */
export async function sendArchive(call: FileCall): Promise<void> {
  const { response } = call;
  await withPlace(call, { follow: true }, async (place) => {
    const stats = place.stats();
    if (!stats) throw fileFault('ENOENT', place.path);
    const packer = new Packer(call);
    if (stats.isDirectory()) {
      // What cannot be read at all is refused before the archive begins.
      const fd = openNames(place.file);
      try {
        packer.begin();
        await packer.addFolder(fd, NONE);
      } finally {
        closeSync(fd);
      }
    } else {
      packer.begin();
      await packer.add(place.folder, place.name ?? NONE, NONE, stats);
    }
    await packer.end();
  }).catch((error: unknown) => {
    if (!response.headersSent) throw error;
    response.destroy();
  });
}

class Packer {
  readonly #response: FileCall['response'];
  #batch: Buffer[] = [];
  #bytes = 0;

  constructor({ response }: FileCall) {
    this.#response = response;
  }

  begin(): void {
    this.#response.writeHead(200, { 'content-type': 'application/x-tar' });
    this.#response.flushHeaders();
  }

  /** All in an opened folder, whose name in the archive ends with a slash if it has one. */
  async addFolder(fd: number, prefix: Buffer): Promise<void> {
    for (const name of readNames(fd)) {
      if (this.#response.destroyed) return;
      const stats = statsOf(inFolder(fd, name));
      // It may have been removed meanwhile.
      if (stats) await this.add(fd, name, prefix, stats);
    }
  }

  async add(folder: number, name: Buffer, prefix: Buffer, stats: BigIntStats): Promise<void> {
    const path = Buffer.concat([prefix, name]);
    const file = inFolder(folder, name);
    if (stats.isSymbolicLink()) {
      const target = readlinkSync(file, { encoding: 'buffer' });
      await this.#put(headerOf(path, stats, 'symlink', 0, target));
    } else if (stats.isDirectory()) {
      await this.#put(headerOf(path, stats, 'directory', 0));
      const fd = openUnlessGone(() => openNames(file));
      if (fd === undefined) return;
      try {
        await this.addFolder(fd, Buffer.concat([path, SLASH]));
      } finally {
        closeSync(fd);
      }
    } else if (stats.isFile()) await this.#addFile(file, path);
    // Sockets, pipes and devices have no content, and are left out.
  }

  async #addFile(file: FilePlace['file'], path: Buffer): Promise<void> {
    const fd = openUnlessGone(() => openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    if (fd === undefined) return;
    try {
      const stats = fstatSync(fd, { bigint: true });
      if (!stats.isFile()) return;
      const size = Number(stats.size);
      if (size > SMALL_BYTES) {
        await this.#put(headerOf(path, stats, 'file', size));
        await this.#flush();
        if (!(await sendRange(this.#response, fd, { from: 0, to: size - 1 })))
          throw new Error('the file became shorter while it was read, or the client has gone');
        await this.#put(padding(size));
        return;
      }
      const content = Buffer.alloc(size + ((BLOCK - (size % BLOCK)) % BLOCK));
      const read = readWhole(fd, content.subarray(0, size));
      await this.#put(headerOf(path, stats, 'file', read));
      await this.#put(Buffer.concat([content.subarray(0, read), padding(read)]));
    } finally {
      closeSync(fd);
    }
  }

  async end(): Promise<void> {
    await this.#put(Buffer.alloc(2 * BLOCK));
    await this.#flush();
    this.#response.end();
  }

  async #put(bytes: Buffer): Promise<void> {
    this.#batch.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= BATCH_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#batch);
    this.#batch = [];
    this.#bytes = 0;
    if (bytes.length > 0) await writeTo(this.#response, bytes);
  }
}

/** Opens a file that may have been removed or replaced since its folder was read. */
function openUnlessGone(open: () => number): number | undefined {
  try {
    return open();
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

function readWhole(fd: number, into: Buffer): number {
  let length = 0;
  while (length < into.length) {
    const count = readSync(fd, into, length, into.length - length, length);
    if (count === 0) break;
    length += count;
  }
  return length;
}

const headerOf = (
  name: Buffer,
  { mode, mtimeMs, uid, gid }: BigIntStats,
  type: 'file' | 'directory' | 'symlink',
  size: number,
  target: Buffer = NONE,
): Buffer =>
  encodeTarHeader({
    name,
    type,
    size,
    target,
    mode: Number(mode) & 0o777,
    mtime: Math.floor(Number(mtimeMs) / 1000),
    uid: Number(uid),
    gid: Number(gid),
  });
