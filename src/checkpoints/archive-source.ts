/** An archive as it comes from a body: whole, as older wrappers send it, or in parts. */
import type { IncomingMessage } from 'node:http';
import {
  ARCHIVE_FORMAT_HEADER,
  ARCHIVE_FORMATS,
  ARCHIVE_PARTS_TYPE,
  ARCHIVE_TYPES,
  type ArchiveFormat,
  Fault,
  LONGEST_CHUNK,
  PART_HEAD_BYTES,
  PART_KINDS,
} from '../model/index.ts';
import { readWarnings } from './door-answers.ts';

const HASH_BYTES = 32;

/** The bytes of a chunk, or the SHA-256 of one that the base has. */
export type SourcePart = { bytes: Buffer } | { known: string };

export interface ArchiveSource {
  format: ArchiveFormat;
  /** Ends when the archive is complete; throws if it breaks off. */
  parts: AsyncIterable<SourcePart>;
  /** What could not be read; complete when the parts have ended. */
  warnings(): string[];
  destroy(): void;
}

/** Throws a Fault if the answer is not an archive. */
export function toArchiveSource(answer: IncomingMessage): ArchiveSource {
  const type = answer.headers['content-type'];
  const inParts = type === ARCHIVE_PARTS_TYPE;
  const format = ARCHIVE_FORMATS.find((one) =>
    inParts ? one === answer.headers[ARCHIVE_FORMAT_HEADER] : ARCHIVE_TYPES[one] === type,
  );
  if (!format) {
    answer.destroy();
    throw new Fault('internal', 'The body sent an archive of an unknown type.');
  }
  return {
    format,
    parts: inParts ? readFrames(answer) : inPieces(answer),
    warnings: () => readWarnings(answer),
    destroy: () => answer.destroy(),
  };
}

/** Chunks of one size: the bytes of an archive whose own parts are not known. */
export async function* inPieces(source: AsyncIterable<Buffer>): AsyncGenerator<SourcePart> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of source) {
    for (let at = 0; at < part.length; ) {
      const piece = part.subarray(at, at + LONGEST_CHUNK - bytes);
      parts.push(piece);
      bytes += piece.length;
      at += piece.length;
      if (bytes < LONGEST_CHUNK) continue;
      yield { bytes: Buffer.concat(parts) };
      parts = [];
      bytes = 0;
    }
  }
  if (bytes > 0) yield { bytes: Buffer.concat(parts) };
}

/** A body writes them, so their lengths are limited before they are read. */
async function* readFrames(source: AsyncIterable<Buffer>): AsyncGenerator<SourcePart> {
  const input = new Frames(source);
  for (;;) {
    const head = await input.take(PART_HEAD_BYTES);
    const [kind, length] = [head.readUInt8(), head.readUInt32BE(1)];
    if (kind === PART_KINDS.end) break;
    if (kind === PART_KINDS.known) yield { known: (await input.take(HASH_BYTES)).toString('hex') };
    else if (kind === PART_KINDS.chunk && length > 0 && length <= LONGEST_CHUNK)
      yield { bytes: await input.take(length) };
    else throw new Fault('internal', 'The body sent an archive that cannot be read.');
  }
  // The trailer follows the last byte.
  await input.end();
}

class Frames {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async take(bytes: number): Promise<Buffer> {
    const parts = [this.#rest];
    let found = this.#rest.length;
    while (found < bytes) {
      const { value, done } = await this.#source.next();
      if (done)
        throw Object.assign(new Error('the archive broke off'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
      parts.push(value);
      found += value.length;
    }
    const all = parts.length === 1 ? this.#rest : Buffer.concat(parts);
    this.#rest = all.subarray(bytes);
    return all.subarray(0, bytes);
  }

  async end(): Promise<void> {
    while (!(await this.#source.next()).done);
  }
}
