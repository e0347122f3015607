/** Reads a tar archive from a stream, one entry after the other. Memory is bounded, whatever the archive contains. */
import {
  BLOCK,
  decodePax,
  decodeTarHeader,
  LONGEST_RECORD,
  TarError,
  type TarHeader,
  untilZero,
} from '../../archive/tar-header.ts';

export interface TarEntry extends TarHeader {
  /** The content, as it comes; what is not read of it is skipped. */
  content: AsyncIterable<Buffer>;
}

export class TarReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The entries to the end of the archive. Throws a TarError if it is damaged or was cut. */
  async *entries(): AsyncGenerator<TarEntry> {
    let long: { name?: Buffer; target?: Buffer; size?: number; mtime?: number } = {};
    for (;;) {
      const block = await this.#take(BLOCK);
      const header = decodeTarHeader(block);
      // The end is two blocks of zeros, and some programs write only one.
      if (!header) return await this.#drain();
      const { type, size } = header;
      if (type === 'pax' || type === 'global' || type === 'long-name' || type === 'long-link') {
        if (size > LONGEST_RECORD) throw new TarError('it has a name that is too long');
        const record = await this.#take(size);
        await this.#skip((BLOCK - (size % BLOCK)) % BLOCK);
        if (type === 'long-name') long.name = untilZero(record);
        if (type === 'long-link') long.target = untilZero(record);
        if (type === 'pax') {
          const { path, linkpath, ...more } = decodePax(record);
          long = { ...long, ...(path && { name: path }), ...(linkpath && { target: linkpath }), ...more };
        }
        continue;
      }
      const entry = { ...header, ...long };
      long = {};
      // Before POSIX, a folder was a file whose name ends with a slash. Of a long name, the header has only the beginning.
      if (entry.type === 'file' && entry.name.at(-1) === 0x2f) entry.type = 'directory';
      let left = entry.type === 'file' ? entry.size : 0;
      const pad = (BLOCK - (left % BLOCK)) % BLOCK;
      const next = () => this.#some(left);
      const content = {
        async *[Symbol.asyncIterator]() {
          while (left > 0) {
            const part = await next();
            left -= part.length;
            yield part;
          }
        },
      };
      yield { ...entry, content };
      await this.#skip(left + pad);
    }
  }

  /** Exactly that many bytes. */
  async #take(size: number): Promise<Buffer> {
    if (this.#rest.length < size) {
      const parts = [this.#rest];
      for (let length = this.#rest.length; length < size; ) {
        const part = await this.#read();
        parts.push(part);
        length += part.length;
      }
      this.#rest = Buffer.concat(parts);
    }
    const taken = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    return taken;
  }

  /** At least one byte, and at most that many. */
  async #some(most: number): Promise<Buffer> {
    if (this.#rest.length === 0) this.#rest = await this.#read();
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  async #skip(size: number): Promise<void> {
    for (let left = size; left > 0; ) left -= (await this.#some(left)).length;
  }

  async #read(): Promise<Buffer> {
    for (;;) {
      const { done, value } = await this.#source.next();
      if (done) throw new TarError('it ends in the middle');
      if (value.length > 0) return value;
    }
  }

  /** Reads what follows the end. */
  async #drain(): Promise<void> {
    this.#rest = Buffer.alloc(0);
    while (!(await this.#source.next()).done);
  }
}
