/** Writes the parts of an archive to a connection. */
import { PART_HEAD_BYTES, PART_KINDS } from '../../src/model/worker/archive-format.ts';
import type { ArchivePart } from './archive-parts.ts';

type Parts = AsyncGenerator<ArchivePart>;

/** `first` was taken from `parts` already. */
async function* resume(first: IteratorResult<ArchivePart>, parts: Parts): Parts {
  try {
    if (first.done) return;
    yield first.value;
    yield* parts;
  } finally {
    await parts.return(undefined);
  }
}

/** As frames: a kind, a length, and the bytes of a chunk or its SHA-256. The last one says that the archive is complete. */
export async function* toFrames(first: IteratorResult<ArchivePart>, parts: Parts): AsyncGenerator<Buffer> {
  for await (const { bytes, sha256, length } of resume(first, parts)) {
    yield toHead(bytes ? PART_KINDS.chunk : PART_KINDS.known, length);
    yield bytes ?? sha256;
  }
  yield toHead(PART_KINDS.end, 0);
}

/** As the archive itself, of which no part is known. */
export async function* toArchive(first: IteratorResult<ArchivePart>, parts: Parts): AsyncGenerator<Buffer> {
  for await (const { bytes } of resume(first, parts)) if (bytes) yield bytes;
}

function toHead(kind: number, length: number): Buffer {
  const head = Buffer.alloc(PART_HEAD_BYTES);
  head.writeUInt8(kind);
  head.writeUInt32BE(length, 1);
  return head;
}
