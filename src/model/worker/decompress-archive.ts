/**
 * Decompresses the archive of a workspace, which is a series of frames of zstd or of members of gzip. Loads no zod.
 *
 * Node's decompressor of zstd ends with the first frame, unless the next one begins with a new write.
 */
import { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { Fault } from '../values/fault.ts';
import type { ArchiveFormat } from './archive-format.ts';

const MAGIC = 0xfd2fb528;
/** The sizes of fields of a frame's header, by their flags (RFC 8878, 3.1.1.1). */
const DICTIONARY_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const RLE = 1;
const PART_BYTES = 128 * 1024;

/** A stream from compressed to plain bytes; `reader` names the program in the error of a Node that is too old. */
export function createDecompressor(format: ArchiveFormat, reader: string): Duplex {
  if (format === 'tar.gz') return zlib.createGunzip();
  const { createZstdDecompress } = zlib as Partial<typeof zlib>;
  if (!createZstdDecompress)
    throw new Fault(
      'unsupported',
      `${reader} cannot read archives of zstd; its Node is older than Node 22.15.`,
    );
  return Duplex.from(async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const decoder = createZstdDecompress({ chunkSize: PART_BYTES });
    const flowing = pipeline(Readable.from(splitFrames(source)), decoder);
    flowing.catch(() => {});
    yield* decoder as AsyncIterable<Buffer>;
    await flowing;
  });
}

/** The same bytes, cut so that each frame begins with a new part; a block says how long it is. */
async function* splitFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = new Input(source);
  while (await input.fill(1)) {
    const start = await input.take(5);
    if (start.readUInt32LE() !== MAGIC) throw new Error('it is not compressed with zstd');
    const flags = start.readUInt8(4);
    const isSingle = (flags & 0x20) !== 0;
    const contentSize = CONTENT_SIZE_BYTES[flags >> 6] || (isSingle ? 1 : 0);
    const rest = (isSingle ? 0 : 1) + (DICTIONARY_BYTES[flags & 3] ?? 0) + contentSize;
    let parts = [start, await input.take(rest)];
    let bytes = start.length + rest;
    for (let isLast = false; !isLast; ) {
      const head = await input.take(3);
      const value = head.readUIntLE(0, 3);
      isLast = (value & 1) !== 0;
      const isRepeated = ((value >> 1) & 3) === RLE;
      const block = await input.take(isRepeated ? 1 : value >> 3);
      parts.push(head, block);
      bytes += head.length + block.length;
      if (bytes < PART_BYTES) continue;
      yield Buffer.concat(parts);
      parts = [];
      bytes = 0;
    }
    if (flags & 4) parts.push(await input.take(4));
    if (parts.length > 0) yield Buffer.concat(parts);
  }
}

/** Bytes of a stream in the amounts that are needed; a block of zstd has at most 128 KiB. */
class Input {
  readonly #source: AsyncIterator<Buffer>;
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Waits until there are that many bytes; false if the stream ends before. */
  async fill(bytes: number): Promise<boolean> {
    while (this.#bytes < bytes) {
      const { value, done } = await this.#source.next();
      if (done) return false;
      this.#parts.push(value);
      this.#bytes += value.length;
    }
    return true;
  }

  async take(bytes: number): Promise<Buffer> {
    if (!(await this.fill(bytes))) throw new Error('it breaks off');
    const [first] = this.#parts;
    const all = first && first.length >= bytes ? first : Buffer.concat(this.#parts);
    if (all !== first) this.#parts = [all];
    const rest = all.subarray(bytes);
    this.#parts[0] = rest;
    if (rest.length === 0) this.#parts.shift();
    this.#bytes -= bytes;
    return all.subarray(0, bytes);
  }
}
