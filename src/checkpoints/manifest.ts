/** Which chunks an archive consists of, and in which packs they are stored. Pure. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UnusableCheckpoint } from './faults.ts';

/** Where a chunk is stored. */
export interface ChunkPlace {
  /** Of its bytes. */
  sha256: string;
  pack: string;
  offset: number;
  length: number;
}

/** A file with chunks. Its name says what is in it, so equal packs have the same. */
export interface Pack {
  name: string;
  bytes: number;
}

const VERSION = 1;
const count = z.number().int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
export const packFields = z.object({ name: sha256, bytes: count });
const manifest = z.object({
  version: z.literal(VERSION),
  packs: z.array(sha256),
  /** In the order of the archive: its hash, the index of its pack, and its place there. */
  chunks: z.array(z.tuple([sha256, count, count, count])),
});

/** As text; packs are named once. */
export function formatManifest(chunks: readonly ChunkPlace[]): string {
  const packs = [...new Set(chunks.map(({ pack }) => pack))];
  const places = new Map(packs.map((pack, at) => [pack, at]));
  const rows = chunks.map((one) => [one.sha256, places.get(one.pack), one.offset, one.length]);
  return JSON.stringify({ version: VERSION, packs, chunks: rows });
}

/** What the record of a checkpoint says about its archive. */
export interface ArchiveSummary {
  sha256: string;
  bytes: number;
  packs: readonly Pack[];
}

/**
 * The chunks of that archive. Undefined if they cannot be read or are not those that were stored: a wrong length would be
 * allocated before a byte is checked. Throws a Fault if a newer version has written it.
 */
export function parseManifest(text: string, archive: ArchiveSummary): ChunkPlace[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { version } = (value ?? {}) as { version?: unknown };
  if (typeof version === 'number' && version > VERSION)
    throw new UnusableCheckpoint(
      'unsupported',
      `The checkpoint was stored by a newer version of worker-manager (manifest ${version}; this one reads ${VERSION}).`,
    );
  const { success, data } = manifest.safeParse(value);
  if (!success) return undefined;
  const chunks: ChunkPlace[] = [];
  for (const [sha256, at, offset, length] of data.chunks) {
    const pack = data.packs[at];
    if (pack === undefined) return undefined;
    chunks.push({ sha256, pack, offset, length });
  }
  return isOf(archive, chunks) ? chunks : undefined;
}

function isOf({ sha256, bytes, packs }: ArchiveSummary, chunks: readonly ChunkPlace[]): boolean {
  const ends = new Map(packs.map((pack) => [pack.name, pack.bytes]));
  const isInside = ({ pack, offset, length }: ChunkPlace) => offset + length <= (ends.get(pack) ?? -1);
  const sum = chunks.reduce((total, { length }) => total + length, 0);
  return sum === bytes && chunks.every(isInside) && hashChunks(chunks) === sha256;
}

/** The hash of a list of chunks, which is the same for the same archive. */
export function hashChunks(chunks: Iterable<Pick<ChunkPlace, 'sha256'>>): string {
  const hash = createHash('sha256');
  for (const { sha256 } of chunks) hash.update(sha256, 'hex');
  return hash.digest('hex');
}
