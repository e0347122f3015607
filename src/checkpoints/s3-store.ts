/**
 * Checkpoints in a bucket of S3, or of a server with the same API.
 *
 * The objects of a checkpoint have its ID as their prefix. Its record is written last and deleted first, so a checkpoint
 * without one does not exist. An archive is gathered in a local folder first, because S3 needs its length. Unlike in
 * a directory, equal archives are stored more than once: S3 has no links, and nothing else counts uses safely.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CheckpointDetails,
  type CheckpointPlace,
  checkpointId,
  formatInstant,
  parseInstant,
} from '../model/index.ts';
import type { StoredConversation } from '../store/index.ts';
import {
  completeCheckpoint,
  formatCheckpointRecord,
  formatConversation,
  newestFirst,
  parseCheckpointRecord,
  parseConversation,
  type StoredRecord,
} from './records.ts';
import { writeArchive } from './s3-archive.ts';
import { S3Bucket, type S3Object } from './s3-bucket.ts';
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
const WRITER_DEAD_MS = 3_600_000;
/** The most that S3 takes with one request. */
const LONGEST_BYTES = 5 * 1024 ** 3;

export class CheckpointBucket implements CheckpointStore {
  readonly #bucket: S3Bucket;
  readonly #spool: string;
  readonly #now: () => number;
  /** Records never change, so each is read once. */
  readonly #records = new Map<string, StoredRecord>();

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
    await mkdir(this.#spool, { recursive: true, mode: 0o700 });
    const file = join(this.#spool, `${id}.tmp`);
    let opened: OpenSource | undefined;
    try {
      const mostBytes = Math.min(content.mostBytes, LONGEST_BYTES);
      opened = await content.open(undefined);
      const { source, conversation } = opened;
      const stored = await writeArchive(file, source, mostBytes);
      const details = completeCheckpoint(checkpoint, stored, opened);
      await this.#bucket.putStream(`${id}/archive`, () => createReadStream(file), stored.bytes);
      if (conversation) await this.#bucket.put(`${id}/conversation.json`, formatConversation(conversation));
      await this.#bucket.put(`${id}/record.json`, formatCheckpointRecord({ details }));
      return details;
    } catch (error) {
      opened?.source.destroy();
      // If this fails as well, it is cleaned up later.
      await this.#bucket.remove([`${id}/archive`, `${id}/conversation.json`]).catch(() => {});
      throw error;
    } finally {
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
        // Each has an archive of its own.
        packs: [{ name: id, bytes: view.bytes }],
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
    const prefix = prefixOf(id);
    if ((await this.get(id)) === undefined) return undefined;
    const mark = `${prefix}reading-${randomUUID()}`;
    // First the mark, so that the archive is not deleted for lack of space from here on.
    await this.#bucket.put(mark, '');
    const renewing = setInterval(() => void this.#bucket.put(mark, '').catch(() => {}), READING_MS);
    renewing.unref();
    const leave = () => {
      clearInterval(renewing);
      void this.#bucket.remove([mark]).catch(() => {});
    };
    try {
      const checkpoint = await this.get(id);
      const stream = checkpoint && (await this.#bucket.get(`${prefix}archive`));
      if (!stream) {
        leave();
        return undefined;
      }
      await this.#bucket.put(`${prefix}used`, '').catch(() => {});
      stream.once('close', leave);
      return { checkpoint, stream };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async conversation(id: string): Promise<StoredConversation | undefined> {
    const text = await this.#bucket.getText(`${prefixOf(id)}conversation.json`);
    if (text === undefined) return undefined;
    return parseConversation(text);
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
    for (const objects of groupById(await this.#bucket.list()).values()) {
      if (objects.some(({ key }) => key.endsWith('/record.json'))) continue;
      const last = Math.max(...objects.map(({ at }) => at));
      if (last < this.#now() - WRITER_DEAD_MS) await this.#bucket.remove(objects.map(({ key }) => key));
    }
    await this.#cleanSpool();
  }

  /** Removes archives that a killed manager was gathering. */
  async #cleanSpool(): Promise<void> {
    for (const name of await readdir(this.#spool).catch(() => [])) {
      const file = join(this.#spool, name);
      const found = await stat(file).catch(() => undefined);
      if (name.endsWith('.tmp') && found && found.mtimeMs < this.#now() - WRITER_DEAD_MS)
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

/** It becomes a part of keys, so it is checked here even if a caller has checked it before. */
const prefixOf = (id: string) => `${checkpointId.parse(id)}/`;

/** The objects of each checkpoint; others do not belong to any. */
function groupById(objects: readonly S3Object[]): Map<string, S3Object[]> {
  const groups = new Map<string, S3Object[]>();
  for (const object of objects) {
    const [id = '', name] = object.key.split('/');
    if (name === undefined || !checkpointId.safeParse(id).success) continue;
    groups.set(id, [...(groups.get(id) ?? []), object]);
  }
  return groups;
}

function toExpiry(objects: readonly S3Object[]): string | undefined {
  const times = objects.map(({ key }) => Number(/\/expires-(\d{1,15})$/.exec(key)?.[1] ?? Number.NaN));
  const last = Math.max(...times.filter(Number.isFinite));
  return Number.isFinite(last) ? formatInstant(last) : undefined;
}
