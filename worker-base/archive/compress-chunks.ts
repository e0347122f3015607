/** Compresses pieces of an archive independently, so that each can be stored and sent separately. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { ArchiveFormat } from '../../src/model/worker/archive-format.ts';

/** Bytes of files in a chunk, at most. */
export const CHUNK_INPUT_BYTES = 1024 * 1024;
/** Pieces that are compressed at the same time. */
const AT_ONCE = 3;

/** A compressed piece of an archive. */
export interface Chunk {
  bytes: Buffer;
  /** SHA-256 of the compressed bytes. */
  sha256: Buffer;
}

/** Equal pieces become equal chunks, as long as Node has the same version of the compressor. */
export interface Compressor {
  format: ArchiveFormat;
  compress(piece: Buffer): Promise<Chunk>;
}

/** Level 1 of zstd packs several times as fast as gzip, and smaller. Node has it from 22.15 on. */
export function createCompressor(): Compressor {
  const { createZstdCompress, constants } = zlib as Partial<typeof zlib>;
  if (!createZstdCompress || !constants) {
    const gzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip);
    return { format: 'tar.gz', compress: async (piece) => toChunk(await gzip(piece, { level: 1 })) };
  }
  const stream = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
    chunkSize: CHUNK_INPUT_BYTES,
    // What a piece becomes is read when it is complete.
    readableHighWaterMark: 2 * CHUNK_INPUT_BYTES,
  } as zlib.ZstdOptions);
  stream.on('error', () => {});
  // One compressor for all: to create one costs as much as a piece does.
  const compress = (piece: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      stream.write(piece);
      stream.flush(constants.ZSTD_e_end, () => {
        const { errored } = stream;
        const parts: Buffer[] = [];
        for (let part = stream.read(); part !== null; part = stream.read()) parts.push(part);
        const [only, ...more] = parts;
        if (errored) reject(errored);
        else resolve(only && more.length === 0 ? only : Buffer.concat(parts));
      });
    });
  let last: Promise<unknown> = Promise.resolve();
  return {
    format: 'tar.zst',
    async compress(piece) {
      const result = last.then(() => compress(piece));
      last = result.catch(() => {});
      return toChunk(await result);
    },
  };
}

const toChunk = (bytes: Buffer): Chunk => ({ bytes, sha256: createHash('sha256').update(bytes).digest() });

/** The results in the order of the tasks, of which a few run ahead. */
export async function* inOrder<T>(tasks: AsyncIterable<() => Promise<T>>): AsyncGenerator<T> {
  const running: Promise<T>[] = [];
  for await (const task of tasks) {
    const result = task();
    // If an earlier one fails, this one is not awaited.
    result.catch(() => {});
    running.push(result);
    if (running.length >= AT_ONCE) yield running.shift() as Promise<T>;
  }
  for (const result of running) yield await result;
}
