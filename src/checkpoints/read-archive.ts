/** Reads stored archives and checks every byte, so that nothing that a disk has damaged is taken for the files of a worker. */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { MANIFEST, packPath } from './chunk-storage.ts';
import { codeOf, ifThere } from './directory-files.ts';
import { damaged } from './faults.ts';
import { type Pack, parseManifest } from './manifest.ts';
import { DamagedPack, readChunk } from './pack-files.ts';

/** A stored archive: as packs with chunks, or, as older versions stored it, as one file. */
export interface StoredArchive {
  id: string;
  folder: string;
  sha256: string;
  bytes: number;
  packs: readonly Pack[] | undefined;
}

const BLOCK_BYTES = 256 * 1024;

/**
 * Opens an archive. Its files are open from here on, so it can be read to its end even if it is deleted. The stream fails
 * with a Fault if something is damaged; `onDamage` is called before that. Throws ENOENT if there is none.
 */
export async function openArchive(
  archive: StoredArchive,
  onDamage: (pack: string) => void,
): Promise<Readable> {
  const { id, folder, packs, sha256, bytes } = archive;
  const files = new Map<string, FileHandle>();
  const close = () => {
    for (const file of files.values()) void file.close().catch(() => {});
  };
  const failed = (error: unknown): unknown => {
    if (!(error instanceof DamagedPack)) return error;
    onDamage(error.pack);
    return damaged(id, error.message);
  };
  try {
    let blocks: AsyncIterable<Buffer>;
    if (packs) {
      for (const pack of packs) files.set(pack.name, await open(packPath(folder, pack), 'r'));
      const chunks = parseManifest(await readFile(join(folder, MANIFEST), 'utf8'), { sha256, bytes, packs });
      if (!chunks) throw damaged(id, `its file ${MANIFEST} is not what was stored`);
      blocks = (async function* () {
        for (const chunk of chunks) {
          const file = files.get(chunk.pack);
          if (!file) throw damaged(id, `its record does not name the pack ${chunk.pack}`);
          yield await readChunk(file, chunk);
        }
      })();
    } else {
      const file = await open(join(folder, 'archive'), 'r');
      files.set('archive', file);
      blocks = readWhole(file, sha256);
    }
    const checked = async function* () {
      try {
        yield* blocks;
      } catch (error) {
        throw failed(error);
      }
    };
    const stream = Readable.from(checked(), { objectMode: false, highWaterMark: BLOCK_BYTES });
    stream.once('close', close);
    return stream;
  } catch (error) {
    close();
    const isIncomplete = codeOf(error) === 'ENOENT' && (await ifThere(stat(folder)));
    throw isIncomplete ? damaged(id, 'a file of its archive is missing') : error;
  }
}

/** The last block is given only after the whole has been checked. */
async function* readWhole(file: FileHandle, sha256: string): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let last: Buffer | undefined;
  for (let at = 0; ; ) {
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, at);
    if (bytesRead === 0) break;
    if (last) yield last;
    at += bytesRead;
    last = block.subarray(0, bytesRead);
    hash.update(last);
  }
  if (hash.digest('hex') !== sha256)
    throw new DamagedPack(sha256, 'its bytes are not those that were stored');
  if (last) yield last;
}
