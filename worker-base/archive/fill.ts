/**
 * Fills an empty workspace with an archive before the agent is started.
 *
 * A folder in the workspace marks one that is not complete; it is created first and removed last. So an upload that was cut,
 * or a body that was killed meanwhile, is followed by another that begins again.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Fault } from '../../src/model/values/fault.ts';
import type { ArchiveFormat } from '../../src/model/worker/archive-format.ts';
import { createDecompressor } from '../../src/model/worker/decompress-archive.ts';
import { startHelper } from './helper-process.ts';
import { type ArchiveDeps, FILL_MARKER } from './pack.ts';

/** Errors of a stream because another one of the pipeline has ended. */
const CONSEQUENCES = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'EPIPE']);

/** Whether a workspace has to be filled: it is empty, or was filled only in part. */
export function isFillDue(workspace: string): boolean {
  mkdirSync(workspace, { recursive: true });
  const names = readdirSync(workspace);
  return names.length === 0 || names.includes(FILL_MARKER);
}

/** Owners and the bits that give a program other rights are never restored. */
const UNPACK = `set -eu
m=${FILL_MARKER}
mkdir -p "$m"
find . -mindepth 1 -maxdepth 1 ! -name "$m" -exec rm -rf -- {} +
umask 000
tar -xf - --no-same-owner --no-same-permissions --delay-directory-restore
# What follows the end of the archive is read too, so that the end of tar is not taken for a failure.
cat > /dev/null`;

/**
 * Unpacks an archive. Throws an error if it breaks off, and a Fault `conflict` if it cannot be unpacked: then another
 * upload of it will fail as well.
 */
export async function fillWorkspace(
  archive: Readable,
  format: ArchiveFormat,
  { privileges, settings }: ArchiveDeps,
): Promise<void> {
  const { workspace: cwd, bodyId, inherited } = settings;
  const common = { cwd, bodyId, path: inherited.PATH };
  const { child, ended } = startHelper({
    ...common,
    argv: privileges.helperCommand(['sh', '-c', UNPACK]),
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const stdin = child.stdin as Writable;
  const decompress = createDecompressor(format, 'This body');
  // The first to fail is the cause; the others fail with it.
  let cause: { of: 'archive' | 'content'; error: Error } | undefined;
  const note = (of: 'archive' | 'content') => (error: NodeJS.ErrnoException) => {
    if (!CONSEQUENCES.has(error.code ?? '')) cause ??= { of, error };
  };
  archive.once('error', note('archive'));
  decompress.once('error', note('content'));
  await pipeline(archive, decompress, stdin).catch(() => {});
  stdin.destroy();
  const end = await ended;
  if (cause?.of === 'archive') throw cause.error;
  if (cause?.of === 'content') throw refused(cause.error.message);
  if (end.code !== 0) throw refused(end.lines.at(-1) ?? `tar ended with ${end.code}`);
  if (!archive.readableEnded) throw new Error('the archive broke off');
  const done = startHelper({
    ...common,
    argv: privileges.helperCommand(['rm', '-rf', '--', FILL_MARKER]),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const removed = await done.ended;
  if (removed.code !== 0) throw refused(removed.lines.at(-1) ?? 'the marker could not be removed');
}

const refused = (why: string) => new Fault('conflict', `The archive could not be unpacked: ${why}.`);
