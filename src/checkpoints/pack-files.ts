/** Files with chunks: one is written with the new chunks of a checkpoint, and those of earlier checkpoints are used again. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Fault } from '../model/index.ts';
import { type ChunkPlace, hashChunks, type Pack } from './manifest.ts';

/** A pack whose content is not what was stored. */
export class DamagedPack extends Error {
  readonly pack: string;

  constructor(pack: string, why: string) {
    super(`the pack ${pack} is damaged: ${why}`);
    this.pack = pack;
  }
}

export const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A write may take a part only. */
export async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

export const tooLong = (mostBytes: number): Fault =>
  new Fault(
    'capacity',
    `The archive is longer than CHECKPOINT_BUDGET (${mostBytes} bytes). Exclude files in .workerignore, or raise it.`,
  );

/** Writes chunks one after the other; the file is created with the first. */
export class PackWriter {
  readonly #path: string;
  readonly #chunks = new Map<string, Pick<ChunkPlace, 'sha256' | 'offset' | 'length'>>();
  #file: FileHandle | undefined;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Chunks that are equal are written once. The pack has no name yet. */
  async add(bytes: Buffer, sha256: string): Promise<void> {
    if (this.#chunks.has(sha256)) return;
    this.#file ??= await open(this.#path, 'wx', 0o600);
    await writeAll(this.#file, bytes);
    this.#chunks.set(sha256, { sha256, offset: this.#bytes, length: bytes.length });
    this.#bytes += bytes.length;
  }

  /** Undefined if there was no chunk. Otherwise the file is on the disk. */
  async finish(): Promise<(Pack & { find(sha256: string): ChunkPlace | undefined }) | undefined> {
    if (!this.#file) return undefined;
    await this.#file.sync();
    await this.close();
    const name = hashChunks(this.#chunks.values());
    return {
      name,
      bytes: this.#bytes,
      find: (sha256) => {
        const found = this.#chunks.get(sha256);
        return found && { ...found, pack: name };
      },
    };
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }
}

/** Reads a chunk; throws `DamagedPack` if it is not what was stored. */
export async function readChunk(
  file: FileHandle,
  { sha256, pack, offset, length }: ChunkPlace,
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0) throw new DamagedPack(pack, `it ends after ${offset + at} bytes`);
    at += bytesRead;
  }
  if (sha256Of(bytes) !== sha256)
    throw new DamagedPack(pack, `its bytes from ${offset} on are not those that were stored`);
  return bytes;
}

/** A pack that is used by this little is copied, so that what nothing needs is not kept. */
const LEAST_USED = 0.5;
/** Packs of one checkpoint; if there are more, the smallest become one. */
const MOST_PACKS = 16;
const FEW_PACKS = 8;

/** Whether a base that cannot be copied from has too many packs, or too much in them that it does not need. */
export function isWorn(packs: readonly Pack[], chunks: readonly ChunkPlace[]): boolean {
  const needed = new Map(chunks.map(({ sha256, length }) => [sha256, length]));
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  return (
    packs.length >= MOST_PACKS || sum(needed.values()) < sum(packs.map(({ bytes }) => bytes)) * LEAST_USED
  );
}

/** Which packs of a base are not used again but copied from, because too little of them is needed or they are too many. */
export function choosePacksToCopy(packs: readonly Pack[], chunks: Iterable<ChunkPlace>): Set<string> {
  const used = new Map<string, number>();
  for (const { pack, length } of chunks) used.set(pack, (used.get(pack) ?? 0) + length);
  const needed = packs.filter(({ name }) => used.has(name));
  const copied = new Set(
    needed.filter(({ name, bytes }) => (used.get(name) ?? 0) < bytes * LEAST_USED).map(({ name }) => name),
  );
  const rest = needed.filter(({ name }) => !copied.has(name)).sort((a, b) => a.bytes - b.bytes);
  if (rest.length >= MOST_PACKS)
    for (const { name } of rest.slice(0, rest.length - FEW_PACKS)) copied.add(name);
  return copied;
}
