/**
 * Checkpoints in a bucket of S3, or of a server with the same API.
 *
 * The objects of a checkpoint have its ID as their prefix. Its record is written last and deleted first, so a checkpoint
 * without one does not exist. Its archive is a list of chunks in packs, which other checkpoints may use as well. New chunks
 * are gathered in a local folder first, because S3 needs their length.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createFolders } from '../config/make-folders.ts';
import { type CheckpointDetails, type CheckpointPlace, parseInstant } from '../model/index.ts';
import type { StoredConversation } from '../store/index.ts';
import { MANIFEST, receiveChunks } from './chunk-storage.ts';
import { type ChunkPlace, formatManifest, hashChunks } from './manifest.ts';
import { PackWriter } from './pack-files.ts';
import {
  completeCheckpoint,
  formatCheckpointRecord,
  formatConversation,
  newestFirst,
  parseCheckpointRecord,
  parseConversation,
  type StoredRecord,
} from './records.ts';
import { S3Bucket, type S3Object } from './s3-bucket.ts';
import { groupById, prefixOf, toExpiry } from './s3-keys.ts';
import { findS3Base, openPacks, packKey, tooSlow, UnusedPacks } from './s3-packs.ts';
import type {
  CheckpointStore,
  NewCheckpoint,
  NewContent,
  OpenArchive,
  OpenSource,
  StoredCheckpoint,
} from './store.ts';

const READING_MS = 20_000;
const READER_DEAD_MS = 120_000;
/** What no checkpoint uses for this time is deleted; none takes half of it. */
const UNUSED_MS = 3_600_000;
/** The most that S3 takes with one request. */
const LONGEST_BYTES = 5 * 1024 ** 3;

export class CheckpointBucket implements CheckpointStore {
  readonly #bucket: S3Bucket;
  readonly #spool: string;
  readonly #now: () => number;
  /** Records never change, so each is read once. */
  readonly #records = new Map<string, StoredRecord>();
  readonly #unused = new UnusedPacks();

  /** `spool` is a folder of this machine for archives that are being written. */
  constructor(
    place: Extract<CheckpointPlace, { kind: 's3' }>,
    spool: string,
    { now = Date.now, silenceMs }: { now?: () => number; silenceMs?: number } = {},
  ) {
    this.#bucket = new S3Bucket(place, silenceMs);
    this.#spool = spool;
    this.#now = now;
  }

  async write(checkpoint: NewCheckpoint, content: NewContent): Promise<CheckpointDetails> {
    const { checkpoint_id: id } = checkpoint;
    const began = this.#now();
    await createFolders(this.#spool);
    const file = join(this.#spool, `${id}.tmp`);
    const writer = new PackWriter(file);
    let opened: OpenSource | undefined;
    let name: string | undefined;
    try {
      const mostBytes = Math.min(content.mostBytes, LONGEST_BYTES);
      const base = await findS3Base(this.#bucket, await content.findBases());
      opened = await content.open(base?.id);
      const { list, bytes, reused } = await receiveChunks(opened.source, { base, writer, mostBytes });
      const own = await writer.finish();
      const details = completeCheckpoint(checkpoint, { bytes, sha256: hashChunks(list) }, opened);
      const pack = own && { name: randomBytes(32).toString('hex'), bytes: own.bytes };
      const chunks = list.map(({ sha256 }) => {
        const found = reused.get(sha256);
        return found ?? ({ ...own?.find(sha256), pack: pack?.name } as ChunkPlace);
      });
      const names = new Set(chunks.map((chunk) => chunk.pack));
      const packs = [...(base?.packs ?? []).filter((one) => names.has(one.name)), ...(pack ? [pack] : [])];
      if (pack) {
        name = pack.name;
        await this.#bucket.putStream(packKey(name), () => createReadStream(file), pack.bytes);
      }
      await this.#bucket.put(`${id}/${MANIFEST}`, formatManifest(chunks));
      const { conversation } = opened;
      if (conversation) await this.#bucket.put(`${id}/conversation.json`, formatConversation(conversation));
      // What the base had may not be kept any longer.
      if (base && this.#now() - began > UNUSED_MS / 2) throw tooSlow();
      await this.#bucket.put(`${id}/record.json`, formatCheckpointRecord({ details, packs }));
      return details;
    } catch (error) {
      opened?.source.destroy();
      // If this fails as well, it is cleaned up later.
      const left = [
        `${id}/record.json`,
        `${id}/${MANIFEST}`,
        `${id}/conversation.json`,
        ...(name ? [packKey(name)] : []),
      ];
      await this.#bucket.remove(left).catch(() => {});
      throw error;
    } finally {
      await writer.close();
      await rm(file, { force: true });
    }
  }

  async list(): Promise<StoredCheckpoint[]> {
    const groups = groupById(await this.#bucket.list());
    for (const id of this.#records.keys()) if (!groups.has(id)) this.#records.delete(id);
    const all: StoredCheckpoint[] = [];
    for (const [id, objects] of groups) {
      const found = objects.find(({ key }) => key.endsWith('/record.json'));
      const record = found && (await this.#read(id));
      if (!record) continue;
      const { spec: _, ...view } = record.details;
      const expires_at = toExpiry(objects);
      const used = objects.find(({ key }) => key.endsWith('/used'));
      const others = objects.filter(({ key }) => !key.endsWith('/archive'));
      all.push({
        ...view,
        ...(expires_at !== undefined && { expires_at }),
        // Those of older versions have an archive of their own.
        packs: record.packs ?? [{ name: id, bytes: view.bytes }],
        otherBytes: others.reduce((sum, { size }) => sum + size, 0),
        usedAt: Math.max(found.at, used?.at ?? 0),
      });
    }
    return all.sort(newestFirst);
  }

  async get(id: string): Promise<CheckpointDetails | undefined> {
    const prefix = prefixOf(id);
    const objects = await this.#bucket.list(prefix);
    if (!objects.some(({ key }) => key === `${prefix}record.json`)) return undefined;
    const record = await this.#read(id);
    const expires_at = toExpiry(objects);
    return record && { ...record.details, ...(expires_at !== undefined && { expires_at }) };
  }

  async open(id: string): Promise<OpenArchive | undefined> {
    // First the mark, so that the archive is not deleted for lack of space from here on.
    const leave = await this.hold(id);
    if (!leave) return undefined;
    try {
      const checkpoint = await this.get(id);
      const stream = checkpoint && (await openPacks(this.#bucket, id, await this.#read(id)));
      if (!stream) {
        leave();
        return undefined;
      }
      await this.#bucket.put(`${prefixOf(id)}used`, '').catch(() => {});
      stream.once('close', leave);
      return { checkpoint, stream };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async hold(id: string): Promise<(() => void) | undefined> {
    if ((await this.get(id)) === undefined) return undefined;
    const mark = `${prefixOf(id)}reading-${randomUUID()}`;
    await this.#bucket.put(mark, '');
    const renewing = setInterval(() => void this.#bucket.put(mark, '').catch(() => {}), READING_MS);
    renewing.unref();
    return () => {
      clearInterval(renewing);
      void this.#bucket.remove([mark]).catch(() => {});
    };
  }

  async conversation(id: string): Promise<StoredConversation | undefined> {
    const text = await this.#bucket.getText(`${prefixOf(id)}conversation.json`);
    if (text === undefined) return undefined;
    return parseConversation(text, id);
  }

  async expire(id: string, at: string | undefined): Promise<void> {
    const prefix = prefixOf(id);
    const before = (await this.#bucket.list(`${prefix}expires-`)).map(({ key }) => key);
    const next = at === undefined ? undefined : `${prefix}expires-${parseInstant(at) ?? 0}`;
    if (next !== undefined) await this.#bucket.put(next, '');
    await this.#bucket.remove(before.filter((key) => key !== next));
  }

  async remove(id: string): Promise<boolean> {
    const prefix = prefixOf(id);
    const keys = (await this.#bucket.list(prefix)).map(({ key }) => key);
    const record = `${prefix}record.json`;
    await this.#bucket.remove([record, ...keys.filter((key) => key !== record)]);
    this.#records.delete(id);
    return keys.includes(record);
  }

  async isRead(id: string): Promise<boolean> {
    const marks = await this.#bucket.list(`${prefixOf(id)}reading-`);
    const isAlive = ({ at }: S3Object) => at > this.#now() - READER_DEAD_MS;
    await this.#bucket.remove(marks.filter((mark) => !isAlive(mark)).map(({ key }) => key));
    return marks.some(isAlive);
  }

  async clean(): Promise<void> {
    const all = await this.#bucket.list();
    const used = new Set<string>();
    let unreadable = false;
    for (const [id, objects] of groupById(all)) {
      if (objects.some(({ key }) => key.endsWith('/record.json'))) {
        const record = await this.#read(id);
        for (const { name } of record?.packs ?? []) used.add(name);
        if (!record) unreadable = true;
        continue;
      }
      const last = Math.max(...objects.map(({ at }) => at));
      if (last < this.#now() - UNUSED_MS) await this.#bucket.remove(objects.map(({ key }) => key));
    }
    // A record that cannot be read, of a newer version for example, may need any of them.
    const keys = unreadable ? [] : all.map(({ key }) => key);
    await this.#bucket.remove(this.#unused.choose(keys, used, { now: this.#now(), ms: UNUSED_MS }));
    await this.#cleanSpool();
  }

  /** Removes archives that a killed manager was gathering. */
  async #cleanSpool(): Promise<void> {
    for (const name of await readdir(this.#spool).catch(() => [])) {
      const file = join(this.#spool, name);
      const found = await stat(file).catch(() => undefined);
      if (name.endsWith('.tmp') && found && found.mtimeMs < this.#now() - UNUSED_MS)
        await rm(file, { force: true });
    }
  }

  async #read(id: string): Promise<StoredRecord | undefined> {
    const known = this.#records.get(id);
    if (known) return known;
    const record = parseCheckpointRecord((await this.#bucket.getText(`${prefixOf(id)}record.json`)) ?? '');
    if (record?.details.checkpoint_id !== id) return undefined;
    this.#records.set(id, record);
    return record;
  }
}
