/**
 * The latest output of a process, both streams in the order in which they were read. An offset counts the bytes of both
 * since the start. Bounded: the oldest bytes are dropped, and a reader learns how many it has missed.
 */
export type OutputStream = 'stdout' | 'stderr';

export interface OutputPart {
  stream: OutputStream;
  /** Offset of its first byte. */
  offset: number;
  bytes: Buffer;
}

interface Chunk {
  stream: OutputStream;
  offset: number;
  buffer: Buffer;
  used: number;
}

/** Small writes are collected in blocks of this size, so that a dot a second costs no buffer each. */
const BLOCK_BYTES = 4096;
/** Approximate memory of a chunk beside its bytes. */
const CHUNK_OVERHEAD = 128;

export class ProcessOutput {
  readonly #limit: () => number;
  #chunks: Chunk[] = [];
  #memory = 0;
  /** Bytes so far: the offset of the next one. */
  end = 0;

  /** `limit`: bytes of memory at this moment. */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Offset of the oldest byte that is kept. */
  get start(): number {
    return this.#chunks[0]?.offset ?? this.end;
  }

  append(stream: OutputStream, bytes: Buffer): void {
    const last = this.#chunks.at(-1);
    const fits =
      last?.stream === stream &&
      last.used < last.buffer.length &&
      last.buffer.length - last.used >= bytes.length;
    if (last && fits) {
      bytes.copy(last.buffer, last.used);
      last.used += bytes.length;
    } else {
      if (last) this.#seal(last);
      const buffer = bytes.length < BLOCK_BYTES ? Buffer.allocUnsafeSlow(BLOCK_BYTES) : bytes;
      if (buffer !== bytes) bytes.copy(buffer);
      this.#chunks.push({ stream, offset: this.end, buffer, used: bytes.length });
      this.#memory += buffer.length + CHUNK_OVERHEAD;
    }
    this.end += bytes.length;
    this.#trim();
  }

  /**
   * What is kept from `offset` on, at most `most` bytes (more only for one part): parts in order, and the number of bytes
   * from `offset` on that were dropped before.
   */
  read(offset: number, most: number): { lost: number; parts: OutputPart[] } {
    const from = Math.max(offset, this.start);
    const parts: OutputPart[] = [];
    let size = 0;
    for (let at = this.#find(from); at < this.#chunks.length && size < most; at += 1) {
      const { stream, offset: first, buffer, used } = this.#chunks[at] as Chunk;
      const skip = Math.max(0, from - first);
      if (skip >= used) continue;
      // A copy of a block that is still written to would be needed only if its bytes could change; they are only added.
      parts.push({ stream, offset: first + skip, bytes: buffer.subarray(skip, used) });
      size += used - skip;
    }
    return { lost: from - offset, parts };
  }

  /** All that is kept of one stream. */
  text(stream: OutputStream): Buffer {
    const chunks = this.#chunks.filter((chunk) => chunk.stream === stream);
    return Buffer.concat(chunks.map(({ buffer, used }) => buffer.subarray(0, used)));
  }

  /** Gives back the room after the last byte of a block. */
  #seal(chunk: Chunk): void {
    const { buffer, used } = chunk;
    if (used === buffer.length) return;
    chunk.buffer = Buffer.allocUnsafeSlow(used);
    buffer.copy(chunk.buffer, 0, 0, used);
    this.#memory -= buffer.length - used;
  }

  #trim(): void {
    const limit = this.#limit();
    let drop = 0;
    while (this.#memory > limit && drop < this.#chunks.length - 1) {
      this.#memory -= (this.#chunks[drop] as Chunk).buffer.length + CHUNK_OVERHEAD;
      drop += 1;
    }
    if (drop > 0) this.#chunks.splice(0, drop);
  }

  /** Index of the chunk with that offset. */
  #find(offset: number): number {
    let [low, high] = [0, this.#chunks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#chunks[middle] as Chunk).offset <= offset) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}
