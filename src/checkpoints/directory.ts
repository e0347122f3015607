/**
 * Checkpoints in a directory, which may be a network mount that several managers use.
 *
 * A checkpoint is a folder that is made in `tmp/` and appears with one rename. Its archive is a hard link to the content in
 * `objects/`, so equal archives take the space of one. There is no index and no lock: the folders are the list, and the
 * file system counts the links.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { type CheckpointDetails, type CheckpointView, checkpointId } from '../model/index.ts';
import type { StoredConversation } from '../store/index.ts';
import {
  dropUnused,
  ifThere,
  namesIn,
  readIfAny,
  removeFolder,
  removeStale,
  shareContent,
  syncFolder,
  writeArchive,
  writeSynced,
} from './directory-files.ts';
import { formatConversation, newestFirst, parseCheckpointRecord, parseConversation } from './records.ts';
import type { CheckpointStore, OpenArchive, StoredCheckpoint } from './store.ts';

/** A reader renews its mark at this interval, and one that has not for some of them has died. Milliseconds. */
const READING_MS = 10_000;
const READER_DEAD_MS = 60_000;
/** A writer that has written nothing for this long has died. */
const WRITER_DEAD_MS = 600_000;
/** Files that are read at once for the list. */
const AT_ONCE = 16;
const READER = 'reading-';

export class CheckpointDirectory implements CheckpointStore {
  readonly sharesContent = true;
  readonly #root: string;
  readonly #now: () => number;
  /** Records never change, so each is read once. */
  readonly #records = new Map<string, CheckpointDetails>();

  /** `root` belongs to one cell. */
  constructor(root: string, now: () => number = Date.now) {
    this.#root = root;
    this.#now = now;
  }

  async write(
    checkpoint: Parameters<CheckpointStore['write']>[0],
    content: Parameters<CheckpointStore['write']>[1],
  ): Promise<CheckpointDetails> {
    const { archive, mostBytes, conversation, warnings } = content;
    const hidden = join(this.#root, 'tmp', checkpoint.checkpoint_id);
    await mkdir(join(this.#root, 'objects'), { recursive: true, mode: 0o700 });
    await mkdir(join(this.#root, 'tmp'), { recursive: true, mode: 0o700 });
    await mkdir(hidden, { mode: 0o700 });
    try {
      const file = join(hidden, 'archive');
      const { bytes, sha256 } = await writeArchive(file, archive, mostBytes);
      const left = warnings();
      const record: CheckpointDetails = {
        ...checkpoint,
        bytes,
        sha256,
        conversation: conversation !== undefined,
        ...(left.length > 0 && { warnings: left }),
      };
      if (conversation) {
        await writeSynced(join(hidden, 'conversation.json'), formatConversation(conversation));
      }
      await writeSynced(join(hidden, 'record.json'), JSON.stringify(record));
      await shareContent(file, join(this.#root, 'objects', sha256));
      await syncFolder(hidden);
      await rename(hidden, this.#folder(checkpoint.checkpoint_id));
      await syncFolder(this.#root);
      return record;
    } catch (error) {
      archive.destroy();
      await rm(hidden, { recursive: true, force: true }).catch(() => {});
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
    return { ...record, ...(expires_at !== undefined && { expires_at }) };
  }

  async open(id: string): Promise<OpenArchive | undefined> {
    const mark = join(this.#folder(id), `${READER}${randomUUID()}`);
    // First the mark, so that the archive is not deleted for lack of space from here on.
    if ((await ifThere(writeFile(mark, '').then(() => true))) === undefined) return undefined;
    let renewing: NodeJS.Timeout | undefined;
    const leave = () => {
      clearInterval(renewing);
      void unlink(mark).catch(() => {});
    };
    try {
      const checkpoint = await this.get(id);
      const file = checkpoint && (await ifThere(open(join(this.#folder(id), 'archive'), 'r')));
      if (!file) {
        leave();
        return undefined;
      }
      const now = new Date(this.#now());
      await utimes(join(this.#folder(id), 'record.json'), now, now).catch(() => {});
      renewing = setInterval(() => {
        const at = new Date(this.#now());
        void utimes(mark, at, at).catch(() => {});
      }, READING_MS);
      renewing.unref();
      const stream = createReadStream('', { fd: file, highWaterMark: 256 * 1024 });
      stream.once('close', leave);
      return { checkpoint, stream };
    } catch (error) {
      leave();
      throw error;
    }
  }

  async conversation(id: string): Promise<StoredConversation | undefined> {
    const text = await readIfAny(join(this.#folder(id), 'conversation.json'));
    if (text === undefined) return undefined;
    return parseConversation(text);
  }

  async expire(id: string, at: string | undefined): Promise<void> {
    const path = join(this.#folder(id), 'expires');
    if (at === undefined) await ifThere(unlink(path));
    else await ifThere(writeFile(path, at, { mode: 0o600 }));
  }

  async remove(id: string): Promise<boolean> {
    const record = await this.#read(id);
    await mkdir(join(this.#root, 'tmp'), { recursive: true, mode: 0o700 });
    const removed = await removeFolder(this.#folder(id), join(this.#root, 'tmp', `deleted-${randomUUID()}`));
    this.#records.delete(id);
    if (record) await dropUnused(join(this.#root, 'objects', record.sha256));
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

  #folder(id: string): string {
    // It becomes a path, so it is checked here even if a caller has checked it before.
    return join(this.#root, checkpointId.parse(id));
  }

  async #read(id: string): Promise<CheckpointDetails | undefined> {
    const known = this.#records.get(id);
    if (known) return known;
    const text = await readIfAny(join(this.#folder(id), 'record.json'));
    if (text === undefined) return undefined;
    const record = parseCheckpointRecord(text);
    if (record?.checkpoint_id !== id) return undefined;
    this.#records.set(id, record);
    return record;
  }

  async #stored(id: string): Promise<StoredCheckpoint | undefined> {
    const record = await this.#read(id);
    const used = record && (await ifThere(stat(join(this.#folder(id), 'record.json'))));
    if (!used) {
      // It was deleted, perhaps by another manager.
      this.#records.delete(id);
      return undefined;
    }
    const { spec: _, ...view } = record;
    const talk = record.conversation
      ? await ifThere(stat(join(this.#folder(id), 'conversation.json')))
      : undefined;
    const expires_at = await this.#expiry(id);
    return {
      ...(view satisfies CheckpointView),
      ...(expires_at !== undefined && { expires_at }),
      otherBytes: used.size + (talk?.size ?? 0),
      usedAt: used.mtimeMs,
    };
  }

  async #expiry(id: string): Promise<string | undefined> {
    const text = await readIfAny(join(this.#folder(id), 'expires'));
    return text !== undefined && Number.isFinite(Date.parse(text)) ? text : undefined;
  }
}
