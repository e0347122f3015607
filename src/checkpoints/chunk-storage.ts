/**
 * Stores the chunks of an archive in a folder: new ones in a pack of their own, and those of an earlier checkpoint, the base,
 * by further names of its packs.
 *
 * The names are made before the body is asked, so nothing that happens to the base meanwhile matters. The file system counts
 * them, so a pack exists as long as a checkpoint needs it.
 */
import { link, open, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../model/index.ts';
import type { ArchiveSource } from './archive-source.ts';
import { ifThere, readIfAny, shareContent } from './directory-files.ts';
import { type ArchiveSummary, type ChunkPlace, hashChunks, type Pack, parseManifest } from './manifest.ts';
import { choosePacksToCopy, DamagedPack, PackWriter, readChunk, sha256Of, tooLong } from './pack-files.ts';

export const MANIFEST = 'chunks.json';
export const packPath = (folder: string, { name }: Pick<Pack, 'name'>) => join(folder, `pack-${name}`);

/** Chunks of one archive, so that a body that sends tiny ones cannot fill the memory. Even 10 million files have fewer. */
const MOST_CHUNKS = 250_000;
const tooMany = () =>
  new Fault('capacity', `The archive has more than ${MOST_CHUNKS} chunks. Exclude files in .workerignore.`);

/** The chunks of an earlier checkpoint. */
export interface BaseChunks {
  id: string;
  packs: readonly Pack[];
  chunks: ReadonlyMap<string, ChunkPlace>;
}

/**
 * Gives the packs of a checkpoint further names in `folder`. Undefined if it cannot be a base: it does not exist any more,
 * its packs were found to be damaged, or the file system has no links.
 */
export async function linkBase(
  from: Omit<ArchiveSummary, 'packs'> & { id: string; folder: string; packs: readonly Pack[] | undefined },
  { folder, objects }: { folder: string; objects: string },
): Promise<BaseChunks | undefined> {
  const { id, packs } = from;
  if (!packs) return undefined;
  const made: string[] = [];
  try {
    for (const pack of packs) {
      const path = packPath(folder, pack);
      await link(packPath(from.folder, pack), path);
      made.push(path);
      // A pack that was found to be damaged has lost this name.
      const [own, shared] = await Promise.all([stat(path), stat(join(objects, pack.name))]);
      if (own.ino !== shared.ino || own.size !== pack.bytes) throw new DamagedPack(pack.name, 'it differs');
    }
    const chunks = parseManifest((await readIfAny(join(from.folder, MANIFEST))) ?? '', { ...from, packs });
    if (chunks) return { id, packs, chunks: new Map(chunks.map((chunk) => [chunk.sha256, chunk])) };
  } catch {
    // Without a base, the archive is stored whole.
  }
  for (const path of made) await ifThere(unlink(path));
  return undefined;
}

/** The chunks of an archive in their order, and those of them that the base has. */
interface Received {
  list: readonly { sha256: string; length: number }[];
  bytes: number;
  reused: Map<string, ChunkPlace>;
}

/** Reads an archive to its end; `writer` gets what the base does not have. Throws if it breaks off or is too long. */
export async function receiveChunks(
  { parts }: Pick<ArchiveSource, 'parts'>,
  { base, writer, mostBytes }: { base: BaseChunks | undefined; writer: PackWriter; mostBytes: number },
): Promise<Received> {
  const list: { sha256: string; length: number }[] = [];
  const reused = new Map<string, ChunkPlace>();
  let bytes = 0;
  for await (const part of parts) {
    const sha256 = 'known' in part ? part.known : sha256Of(part.bytes);
    const known = base?.chunks.get(sha256);
    const length = 'bytes' in part ? part.bytes.length : known?.length;
    if (length === undefined)
      throw new Fault(
        'internal',
        'The body sent a reference to a chunk that the checkpoint before does not have.',
      );
    bytes += length;
    if (list.length >= MOST_CHUNKS) throw tooMany();
    if (bytes > mostBytes) throw tooLong(mostBytes);
    list.push({ sha256, length });
    if (known) reused.set(sha256, known);
    else if ('bytes' in part) await writer.add(part.bytes, sha256);
  }
  return { list, bytes, reused };
}

/** Reads an archive to its end and stores it. Throws if it breaks off, is too long, or cannot be written. */
export async function storeChunks(
  source: Pick<ArchiveSource, 'parts'>,
  {
    folder,
    objects,
    base,
    mostBytes,
  }: { folder: string; objects: string; base: BaseChunks | undefined; mostBytes: number },
): Promise<{ chunks: ChunkPlace[]; packs: Pack[]; bytes: number; sha256: string }> {
  const file = join(folder, 'new');
  const writer = new PackWriter(file);
  try {
    const { list, bytes, reused } = await receiveChunks(source, { base, writer, mostBytes });
    const copied = choosePacksToCopy(base?.packs ?? [], reused.values());
    await copyChunks(folder, copied, [...reused.values()], writer);
    const own = await writer.finish();
    const chunks = list.map(({ sha256 }) => {
      const known = reused.get(sha256);
      return (known && !copied.has(known.pack) ? known : own?.find(sha256)) as ChunkPlace;
    });
    const names = new Set(chunks.map(({ pack }) => pack));
    const packs = (base?.packs ?? []).filter(({ name }) => names.has(name));
    for (const pack of base?.packs ?? [])
      if (!names.has(pack.name)) await ifThere(unlink(packPath(folder, pack)));
    if (own) {
      // It may be equal to one of the base, which then is replaced.
      await rename(file, packPath(folder, own));
      await shareContent(packPath(folder, own), join(objects, own.name));
      if (!packs.some(({ name }) => name === own.name)) packs.push({ name: own.name, bytes: own.bytes });
    }
    return { chunks, packs, bytes, sha256: hashChunks(list) };
  } finally {
    await writer.close();
  }
}

async function copyChunks(
  folder: string,
  copied: ReadonlySet<string>,
  chunks: readonly ChunkPlace[],
  writer: PackWriter,
): Promise<void> {
  for (const name of copied) {
    const file = await open(packPath(folder, { name }), 'r');
    try {
      const needed = chunks.filter(({ pack }) => pack === name).sort((a, b) => a.offset - b.offset);
      for (const chunk of needed) await writer.add(await readChunk(file, chunk), chunk.sha256);
    } finally {
      await file.close();
    }
  }
}
