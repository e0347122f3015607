/**
 * Writes a file from a stream.
 *
 * Invariants: other programs see the old content or the whole new one; a stream that was cut leaves nothing; no more is in
 * memory than a few hundred kilobytes, however slow the disk is.
 */
import { type BigIntStats, fsync, writev } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { sendJson } from '../../../src/http/send-json.ts';
import { Fault } from '../../../src/model/values/fault.ts';
import { type FileCall, readMode, withPlace } from './call.ts';
import { noFile, readConditions } from './conditions.ts';
import { describeFile, etagOf } from './describe-file.ts';
import { createDraft, type Draft, removeOldDrafts } from './drafts.ts';
import { fileFault, showPath } from './file-fault.ts';

const write = promisify(writev);
const sync = promisify(fsync);
/** Bytes that are written at once. */
const BATCH_BYTES = 512 * 1024;
/** The disk begins to write after this many bytes, so that it has done most of it at the end. */
const SYNC_BYTES = 32 * 1024 ** 2;

/** PUT. Creates missing folders; the permissions are those of the query, of the file that is replaced, or of any new file. */
export async function writeFile(call: FileCall): Promise<void> {
  const { request, response } = call;
  const mode = readMode(call.query);
  const conditions = readConditions(request);
  const room = readRoom(request);
  const length = Number(request.headers['content-length'] ?? 0);
  const options = { follow: true, parents: !conditions.isOld };
  await withPlace(call, options, async (place) => {
    const { name, folder, path } = place;
    if (!name) throw fileFault('EISDIR', path);
    const old = place.stats();
    checkReplaceable(old, path);
    conditions.check(old, path);
    if (length > room.bytes) throw room.fault(path);
    removeOldDrafts(folder);
    const draft = createDraft(folder, mode ?? (old && Number(old.mode) & 0o777));
    try {
      await writeAll(draft.fd, request, () => room.fault(path), room.bytes);
      await sync(draft.fd);
      const now = place.stats();
      checkReplaceable(now, path);
      // Nothing of this program comes between this and the next line, so one of two writers with the same tag is refused.
      conditions.check(now, path);
      if (conditions.isNew) commitNew(draft, name, () => conditions.check(place.stats(), path));
      else draft.commit(name);
    } finally {
      draft.close();
    }
    const stats = place.stats();
    if (!stats) throw fileFault('ENOENT', path);
    sendJson(response, old ? 200 : 201, describeFile(place, stats), { etag: etagOf(stats) });
  }).catch((error: unknown) => {
    // A folder above it does not exist either.
    throw conditions.isOld && error instanceof Fault && error.code === 'not_found'
      ? noFile(call.path)
      : error;
  });
}

/** Commits a file that must be new; `refuse` is called if a program has created one of that name in this moment. */
function commitNew(draft: Draft, name: Buffer, refuse: () => void): void {
  try {
    draft.commitNew(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') refuse();
    throw error;
  }
}

/** Throws a Fault if a file cannot take the place. */
export function checkReplaceable(old: BigIntStats | undefined, path: string): void {
  if (old?.isDirectory()) throw fileFault('EISDIR', path);
  if (old && !old.isFile() && !old.isSymbolicLink())
    throw new Fault('conflict', `${showPath(path)} is a pipe, a socket or a device, and is not replaced.`, {
      reason: 'not_a_file',
    });
}

/** Writes the stream to the file while more of it is read; throws if it was cut. */
async function writeAll(
  fd: number,
  source: IncomingMessage,
  tooLarge: () => Fault,
  most: number,
): Promise<void> {
  let size = 0;
  let batch: Buffer[] = [];
  let bytes = 0;
  let writing: Promise<void> = Promise.resolve();
  let syncing: Promise<void> | undefined;
  let synced = 0;
  try {
    // A refusal ends the loop, and the connection has to stay open for it.
    for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > most) throw tooLarge();
      batch.push(chunk);
      bytes += chunk.length;
      if (bytes < BATCH_BYTES) continue;
      await writing;
      writing = writeBatch(fd, batch);
      writing.catch(() => {});
      [batch, bytes] = [[], 0];
      if (syncing || size - synced < SYNC_BYTES) continue;
      synced = size;
      // The last one reports a failure.
      syncing = sync(fd).catch(() => {});
      void syncing.then(() => {
        syncing = undefined;
      });
    }
    await writing;
    if (bytes > 0) await writeBatch(fd, batch);
  } finally {
    // The file is closed next.
    await writing.catch(() => {});
    await syncing;
  }
  if (!source.complete) throw new Fault('unavailable', 'The upload was cut.');
}

/** Writes all of the batch; the system may take a part at a time. */
export async function writeBatch(fd: number, batch: Buffer[]): Promise<void> {
  for (let rest = batch; rest.length > 0; ) {
    const { bytesWritten } = await write(fd, rest);
    let done = bytesWritten;
    rest = rest.flatMap((part) => {
      const skipped = Math.min(done, part.length);
      done -= skipped;
      return skipped < part.length ? [part.subarray(skipped)] : [];
    });
  }
}

/** How much the workspace may grow, as the wrapper says. */
export function readRoom({ headers }: IncomingMessage): { bytes: number; fault(path: string): Fault } {
  const text = headers['x-workspace-room'];
  const bytes = typeof text === 'string' ? Math.max(0, Number(text)) : Number.POSITIVE_INFINITY;
  return {
    bytes,
    fault: (path) =>
      new Fault(
        'capacity',
        `${showPath(path)} is too large: the workspace may still grow by ${bytes} bytes until it has the size of its worker's spec.`,
        { reason: 'workspace_full' },
      ),
  };
}
