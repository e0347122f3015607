/**
 * Writes a file from a stream.
 *
 * Invariants: other programs see the old content or the whole new one; a stream that was cut leaves nothing; no more is in
 * memory than a few hundred kilobytes, however slow the disk is.
 */
import { type BigIntStats, fsync, writev } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { Fault } from '../../../src/model/values/fault.ts';
import { type FileCall, readMode, respondJson, withPlace } from './call.ts';
import { describeFile, etagOf } from './describe-file.ts';
import { createDraft, removeOldDrafts } from './drafts.ts';
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
  const room = readRoom(request);
  const length = Number(request.headers['content-length'] ?? 0);
  await withPlace(call, { follow: true, parents: true }, async (place) => {
    const { name, folder, path } = place;
    if (!name) throw fileFault('EISDIR', path);
    const old = place.stats();
    checkReplaceable(old, path);
    if (length > room.bytes) throw room.fault(path);
    removeOldDrafts(folder);
    const draft = createDraft(folder, mode ?? (old && Number(old.mode) & 0o777));
    try {
      await writeAll(draft.fd, request, () => room.fault(path), room.bytes);
      await sync(draft.fd);
      checkReplaceable(place.stats(), path);
      draft.commit(name);
    } finally {
      draft.close();
    }
    const stats = place.stats();
    if (!stats) throw fileFault('ENOENT', path);
    respondJson(response, old ? 200 : 201, describeFile(place, stats), { etag: etagOf(stats) });
  });
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
