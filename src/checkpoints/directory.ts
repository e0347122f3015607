/**
 * Checkpoints in a directory, which may be a network mount that several managers use.
 *
 * A checkpoint is a folder that is made in `tmp/` and appears with one rename. Its archive is a list of chunks in packs,
 * which are hard links to those in `objects/`, so several checkpoints can use the same. There is no index and no lock:
 * the folders are the list, and the file system counts the links.
 */

import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { createFolders } from '../config/make-folders.ts';
import { type CheckpointDetails, type CheckpointView, checkpointId } from '../model/index.ts';
import type { StoredConversation } from '../store/index.ts';
import { type BaseChunks, linkBase, MANIFEST, storeChunks } from './chunk-storage.ts';
import {
  dropUnused,
  holdMark,
  ifThere,
  namesIn,
  placeMark,
  readIfAny,
  removeFolder,
  removeStale,
  syncFolder,
  writeSynced,
} from './directory-files.ts';
import { formatManifest } from './manifest.ts';
import { DamagedPack } from './pack-files.ts';
import { openArchive, type StoredArchive } from './read-archive.ts';
import {
  completeCheckpoint,
  formatCheckpointRecord,
  formatConversation,
  newestFirst,
  packsOf,
  parseCheckpointRecord,
  parseConversation,
  type StoredRecord,
} from './records.ts';
import type {
  CheckpointStore,
  NewCheckpoint,
  NewContent,
  OpenArchive,
  OpenSource,
  StoredCheckpoint,
} from './store.ts';

const RECORD = 'record.json';
/** A reader renews its mark at this interval, and one that has not for some of them has died. Milliseconds. */
const READING_MS = 10_000;
const READER_DEAD_MS = 60_000;
/** A writer that has written nothing for this long has died. */
const WRITER_DEAD_MS = 600_000;
/** Files that are read at once for the list. */
const AT_ONCE = 16;
const READER = 'reading-';

export class CheckpointDirectory implements CheckpointStore {
  readonly #root: string;
  readonly #now: () => number;
  /** Records never change, so each is read once. */
  readonly #records = new Map<string, StoredRecord>();

  /** `root` belongs to one cell. */
  constructor(root: string, now: () => number = Date.now) {
    this.#root = root;
    this.#now = now;
  }

  async write(checkpoint: NewCheckpoint, content: NewContent): Promise<CheckpointDetails> {
    const { mostBytes } = content;
    const objects = join(this.#root, 'objects');
    const folder = join(this.#root, 'tmp', checkpoint.checkpoint_id);
    await createFolders(objects);
    await createFolders(join(this.#root, 'tmp'));
    await mkdir(folder, { mode: 0o700 });
    let opened: OpenSource | undefined;
    try {
      const base = await this.#linkBase(await content.findBases(), { folder, objects });
      opened = await content.open(base?.id);
      const { source, conversation } = opened;
      const stored = await storeChunks(source, { folder, objects, base, mostBytes });
      const details = completeCheckpoint(checkpoint, stored, opened);
      if (conversation)
        await writeSynced(join(folder, 'conversation.json'), formatConversation(conversation));
      await writeSynced(join(folder, MANIFEST), formatManifest(stored.chunks));
      await writeSynced(join(folder, RECORD), formatCheckpointRecord({ details, packs: stored.packs }));
      await syncFolder(folder);
      await rename(folder, this.#folder(checkpoint.checkpoint_id));
      await syncFolder(this.#root);
      return details;
    } catch (error) {
      opened?.source.destroy();
      await rm(folder, { recursive: true, force: true }).catch(() => {});
      if (error instanceof DamagedPack) await this.#discredit(error.pack);
      throw error;
    }
  }

  async list(): Promise<StoredCheckpoint[]> {
    const ids = (await namesIn(this.#root)).filter((name) => checkpointId.safeParse(name).success);
    for (const id of this.#records.keys()) if (!ids.includes(id)) this.#records.delete(id);
    const limit = pLimit(AT_ONCE);
    const all = await Promise.all(ids.map((id) => limit(() => this.#stored(id))));
    return all.filter((one) => one !== undefined).sort(newestFirst);
  }

  async get(id: string): Promise<CheckpointDetails | undefined> {
    const record = await this.#read(id);
    if (!record) return undefined;
    const expires_at = await this.#expiry(id);
    return { ...record.details, ...(expires_at !== undefined && { expires_at }) };
  }

  async open(id: string): Promise<OpenArchive | undefined> {
    // First the mark, so that the archive is not deleted for lack of space from here on.
    const leave = await this.hold(id);
    if (!leave) return undefined;
    try {
      const record = await this.#read(id);
      const checkpoint = await this.get(id);
      const discredit = (pack: string) => void this.#discredit(pack);
      const stream = record && (await ifThere(openArchive(this.#locate(record), discredit)));
      if (!stream || !checkpoint) {
        stream?.destroy();
        leave();
        return undefined;
      }
      const now = new Date(this.#now());
      await utimes(join(this.#folder(id), RECORD), now, now).catch(() => {});
      stream.once('close', leave);
      return { checkpoint, stream };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async hold(id: string): Promise<(() => void) | undefined> {
    const mark = join(this.#folder(id), `${READER}${randomUUID()}`);
    return (await placeMark(mark)) ? holdMark(mark, READING_MS, this.#now) : undefined;
  }

  async conversation(id: string): Promise<StoredConversation | undefined> {
    const text = await readIfAny(join(this.#folder(id), 'conversation.json'));
    if (text === undefined) return undefined;
    return parseConversation(text, id);
  }

  async expire(id: string, at: string | undefined): Promise<void> {
    const path = join(this.#folder(id), 'expires');
    if (at === undefined) await ifThere(unlink(path));
    else await ifThere(writeFile(path, at, { mode: 0o600 }));
  }

  async remove(id: string): Promise<boolean> {
    const record = await this.#read(id);
    await createFolders(join(this.#root, 'tmp'));
    const removed = await removeFolder(this.#folder(id), join(this.#root, 'tmp', `deleted-${randomUUID()}`));
    this.#records.delete(id);
    for (const { name } of record ? packsOf(record) : []) await dropUnused(join(this.#root, 'objects', name));
    return removed;
  }

  async isRead(id: string): Promise<boolean> {
    for (const name of await namesIn(this.#folder(id))) {
      if (!name.startsWith(READER)) continue;
      const mark = join(this.#folder(id), name);
      const found = await ifThere(stat(mark));
      if (found && found.mtimeMs > this.#now() - READER_DEAD_MS) return true;
      if (found) await ifThere(unlink(mark));
    }
    return false;
  }

  async clean(): Promise<void> {
    await removeStale(join(this.#root, 'tmp'), WRITER_DEAD_MS, this.#now());
    for (const name of await namesIn(join(this.#root, 'objects')))
      await dropUnused(join(this.#root, 'objects', name));
  }

  /** The first checkpoint whose packs can be used again. */
  async #linkBase(
    ids: readonly string[],
    to: { folder: string; objects: string },
  ): Promise<BaseChunks | undefined> {
    for (const id of ids) {
      const record = await this.#read(id);
      const base = record && (await linkBase(this.#locate(record), to));
      if (base) return base;
    }
    return undefined;
  }

  /** From here on, no checkpoint uses a pack again, and an equal one is stored again. */
  async #discredit(pack: string): Promise<void> {
    await unlink(join(this.#root, 'objects', pack)).catch(() => {});
  }

  #locate({ details, packs }: StoredRecord): StoredArchive {
    const { checkpoint_id: id, sha256, bytes } = details;
    return { id, folder: this.#folder(id), sha256, bytes, packs };
  }

  #folder(id: string): string {
    // It becomes a path, so it is checked here even if a caller has checked it before.
    return join(this.#root, checkpointId.parse(id));
  }

  async #read(id: string): Promise<StoredRecord | undefined> {
    const path = join(this.#folder(id), RECORD);
    const known = this.#records.get(id);
    // Another manager may have deleted it.
    if (known && (await ifThere(stat(path)))) return known;
    this.#records.delete(id);
    const text = await readIfAny(path);
    if (text === undefined) return undefined;
    const record = parseCheckpointRecord(text);
    if (record?.details.checkpoint_id !== id) return undefined;
    this.#records.set(id, record);
    return record;
  }

  async #stored(id: string): Promise<StoredCheckpoint | undefined> {
    const record = await this.#read(id);
    const used = record && (await ifThere(stat(join(this.#folder(id), RECORD))));
    if (!used) return undefined;
    const { spec: _, ...view } = record.details;
    const talk = view.conversation
      ? await ifThere(stat(join(this.#folder(id), 'conversation.json')))
      : undefined;
    const expires_at = await this.#expiry(id);
    return {
      ...(view satisfies CheckpointView),
      ...(expires_at !== undefined && { expires_at }),
      packs: packsOf(record),
      otherBytes: used.size + (talk?.size ?? 0),
      usedAt: used.mtimeMs,
    };
  }

  async #expiry(id: string): Promise<string | undefined> {
    const text = await readIfAny(join(this.#folder(id), 'expires'));
    return text !== undefined && Number.isFinite(Date.parse(text)) ? text : undefined;
  }
}
