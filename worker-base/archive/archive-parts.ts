/** Turns groups of files into the parts of an archive: chunks, and references to those that the receiver has. */
import { CHUNK_INPUT_BYTES, type Compressor, inOrder } from './compress-chunks.ts';
import type { FileGroup } from './file-groups.ts';
import { TarError } from './tar-header.ts';
import { MemberSplitter } from './tar-members.ts';

/** A chunk without its bytes. */
export interface KnownChunk {
  sha256: Buffer;
  length: number;
}

/** `bytes` is missing if the receiver has them. */
export type ArchivePart = KnownChunk & { bytes?: Buffer };

/** The chunks of groups of files, by their fingerprint. */
export type ChunkIndex = ReadonlyMap<string, readonly KnownChunk[]>;

/** The end of a tar archive. */
const END = Buffer.alloc(1024);

/** What happens with a group, in the order of the archive. */
type Step = { piece: Buffer } | { known: FileGroup } | { packed: FileGroup; isWhole: boolean };

/**
 * The parts of an archive with all groups. `tar` has the files of the groups that `known` does not have, if there are any. Of each group
 * whose files cannot change unnoticed, `index` receives the chunks.
 */
export async function* toParts(options: {
  groups: readonly FileGroup[];
  known: ChunkIndex;
  tar: AsyncIterable<Buffer> | undefined;
  compressor: Compressor;
  index: Map<string, readonly KnownChunk[]>;
}): AsyncGenerator<ArchivePart> {
  const { known, compressor, index } = options;
  const pieces = new Pieces();
  const compress = async (piece: Buffer): Promise<ArchivePart> => {
    const { sha256, bytes } = await compressor.compress(piece);
    pieces.release(piece);
    return { sha256, length: bytes.length, bytes };
  };
  async function* tasks() {
    for await (const step of toSteps(options, pieces))
      yield async () => ('piece' in step ? { part: await compress(step.piece) } : step);
  }
  let chunks: KnownChunk[] = [];
  for await (const done of inOrder(tasks())) {
    if ('part' in done) {
      const { sha256, length } = done.part;
      chunks.push({ sha256, length });
      yield done.part;
    } else if ('known' in done) {
      const { fingerprint } = done.known;
      const all = known.get(fingerprint) ?? [];
      index.set(fingerprint, all);
      yield* all;
    } else {
      if (done.isWhole && done.packed.isSettled) index.set(done.packed.fingerprint, chunks);
      chunks = [];
    }
  }
  const { sha256, bytes } = await compressor.compress(END);
  yield { sha256, length: bytes.length, bytes };
}

async function* toSteps(
  { groups, known, tar }: Pick<Parameters<typeof toParts>[0], 'groups' | 'known' | 'tar'>,
  pieces: Pieces,
): AsyncGenerator<Step> {
  const isKnown = ({ fingerprint }: FileGroup) => known.has(fingerprint);
  const places = new Map<string, number>();
  for (const [at, group] of groups.entries())
    if (!isKnown(group)) for (const name of group.names) places.set(name, at);
  let current = -1;
  let last: string | undefined;
  let count = 0;
  function* advance(to: number): Generator<Step> {
    const group = groups[current];
    if (group) {
      yield* pieces.end();
      // What has vanished, or cannot be read, is missing.
      yield { packed: group, isWhole: count === group.names.length };
    }
    for (const next of groups.slice(current + 1, to)) if (isKnown(next)) yield { known: next };
    current = to;
    count = 0;
  }
  const splitter = new MemberSplitter();
  for await (const written of tar ?? []) {
    for (const { name, bytes } of splitter.add(written)) {
      if (name !== last) {
        const place = places.get(name) ?? -1;
        if (place < current || place < 0) throw new TarError('tar wrote another file than it was to write');
        if (place !== current) yield* advance(place);
        last = name;
        count += 1;
      }
      yield* pieces.add(bytes);
    }
  }
  if (tar) splitter.end();
  yield* advance(groups.length);
}

/** Puts bytes together to pieces of one size, in buffers that are used again once a piece is compressed. */
class Pieces {
  readonly #free: Buffer[] = [];
  #buffer: Buffer | undefined;
  #used = 0;

  *add(bytes: Buffer): Generator<{ piece: Buffer }> {
    for (let at = 0; at < bytes.length; ) {
      this.#buffer ??= this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_INPUT_BYTES);
      const copied = bytes.copy(this.#buffer, this.#used, at);
      at += copied;
      this.#used += copied;
      if (this.#used === CHUNK_INPUT_BYTES) yield* this.end();
    }
  }

  *end(): Generator<{ piece: Buffer }> {
    if (this.#buffer && this.#used > 0) yield { piece: this.#buffer.subarray(0, this.#used) };
    this.#buffer = undefined;
    this.#used = 0;
  }

  release(piece: Buffer): void {
    this.#free.push(Buffer.from(piece.buffer));
  }
}
