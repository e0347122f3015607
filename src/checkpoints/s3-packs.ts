/**
 * The packs of checkpoints in a bucket of S3, which has no links to count.
 *
 * Packs have random names and never change. A pack that no checkpoint uses is deleted after a time that is longer than any
 * checkpoint takes; so one that is being made can use the packs of another that is deleted meanwhile, without a lock.
 */
import { Readable } from 'node:stream';
import { Fault } from '../model/index.ts';
import { type BaseChunks, MANIFEST } from './chunk-storage.ts';
import { damaged } from './faults.ts';
import { type ArchiveSummary, type ChunkPlace, parseManifest } from './manifest.ts';
import { DamagedPack, isWorn, sha256Of } from './pack-files.ts';
import { parseCheckpointRecord, type StoredRecord } from './records.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { prefixOf } from './s3-keys.ts';

const PREFIX = 'packs/';
/** Marks packs whose content is not what was stored. */
const DAMAGED = 'damaged/';
export const packKey = (name: string): string => `${PREFIX}${name}`;

/** The first of these checkpoints that exists now, and whose packs can be used again. */
export async function findS3Base(bucket: S3Bucket, ids: readonly string[]): Promise<BaseChunks | undefined> {
  if (ids.length === 0) return undefined;
  const broken = new Set((await bucket.list(DAMAGED)).map(({ key }) => key.slice(DAMAGED.length)));
  for (const id of ids) {
    const text = await bucket.getText(`${prefixOf(id)}record.json`);
    const { details, packs } = parseCheckpointRecord(text ?? '') ?? {};
    if (!details || !packs || packs.some(({ name }) => broken.has(name))) continue;
    const chunks = await readManifest(bucket, id, { ...details, packs }).catch(() => undefined);
    if (!chunks || isWorn(packs, chunks)) continue;
    return { id, packs, chunks: new Map(chunks.map((chunk) => [chunk.sha256, chunk])) };
  }
  return undefined;
}

/** Opens an archive; undefined if there is none. Older versions have stored it as one object. */
export async function openPacks(
  bucket: S3Bucket,
  id: string,
  record: StoredRecord | undefined,
): Promise<Readable | undefined> {
  if (!record?.packs) return bucket.get(`${prefixOf(id)}archive`);
  const { details, packs } = record;
  const chunks = await readManifest(bucket, id, { ...details, packs });
  if (!chunks) throw damaged(id, `its object ${MANIFEST} is not what was stored`);
  return Readable.from(readPacks(bucket, id, chunks), { objectMode: false });
}

const readManifest = async (bucket: S3Bucket, id: string, archive: ArchiveSummary) =>
  parseManifest((await bucket.getText(`${prefixOf(id)}${MANIFEST}`)) ?? '', archive);

/** Reads chunks, those that follow each other in a pack with one request. The stream fails if something is damaged. */
async function* readPacks(
  bucket: S3Bucket,
  id: string,
  chunks: readonly ChunkPlace[],
): AsyncGenerator<Buffer> {
  try {
    for (const run of toRuns(chunks)) yield* readRun(bucket, run);
  } catch (error) {
    if (!(error instanceof DamagedPack)) throw error;
    await bucket.put(`${DAMAGED}${error.pack}`, '').catch(() => {});
    throw damaged(id, error.message);
  }
}

/** Chunks that follow each other in a pack. */
function toRuns(chunks: readonly ChunkPlace[]): ChunkPlace[][] {
  const runs: ChunkPlace[][] = [];
  for (const chunk of chunks) {
    const last = runs.at(-1)?.at(-1);
    const follows = last?.pack === chunk.pack && last.offset + last.length === chunk.offset;
    if (follows) runs.at(-1)?.push(chunk);
    else runs.push([chunk]);
  }
  return runs;
}

async function* readRun(bucket: S3Bucket, run: readonly ChunkPlace[]): AsyncGenerator<Buffer> {
  const [first, last] = [run[0], run.at(-1)];
  if (!first || !last) return;
  const { pack } = first;
  const stream = await bucket.get(packKey(pack), { from: first.offset, to: last.offset + last.length - 1 });
  if (!stream) throw new DamagedPack(pack, 'it is missing');
  let parts: Buffer[] = [];
  let bytes = 0;
  let at = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    for (let chunk = run[at]; chunk && bytes >= chunk.length; chunk = run[at]) {
      const all = Buffer.concat(parts);
      const own = all.subarray(0, chunk.length);
      if (sha256Of(own) !== chunk.sha256)
        throw new DamagedPack(pack, `its bytes from ${chunk.offset} on are not those that were stored`);
      yield own;
      parts = [all.subarray(chunk.length)];
      bytes -= chunk.length;
      at += 1;
    }
  }
  // A connection that was cut is an error of the stream, so the pack is shorter.
  if (at < run.length) throw new DamagedPack(pack, `it ends after ${run[at]?.offset} bytes`);
}

/** Since when packs are not used, as far as this manager has seen. */
export class UnusedPacks {
  readonly #since = new Map<string, number>();

  /** The keys of packs that have not been used for that long; `used` has the names of those that are. */
  choose(
    keys: readonly string[],
    used: ReadonlySet<string>,
    { now, ms }: { now: number; ms: number },
  ): string[] {
    const unused = keys.filter((key) => key.startsWith(PREFIX) && !used.has(key.slice(PREFIX.length)));
    for (const key of this.#since.keys()) if (!unused.includes(key)) this.#since.delete(key);
    for (const key of unused) if (!this.#since.has(key)) this.#since.set(key, now);
    const due = unused.filter((key) => now - (this.#since.get(key) ?? now) >= ms);
    return due.flatMap((key) => [key, `${DAMAGED}${key.slice(PREFIX.length)}`]);
  }
}

/** Packs are kept only so long after their last use. */
export const tooSlow = (): Fault =>
  new Fault('unavailable', 'The checkpoint took too long to be sent to the bucket. Try again.');
