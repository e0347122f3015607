/**
 * Packs a workspace: tracked, untracked and git's own files, as a compressed tar that has the same bytes for the same
 * files.
 *
 * tar runs as the agent's user, because the agent may have files that only it can read. An agent that works meanwhile does
 * not stop it: a file that changes while it is read is saved as it was read.
 */
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { Fault } from '../../src/model/values/fault.ts';
import type { ArchiveFormat } from '../../src/model/worker/archive-format.ts';
import type { Privileges } from '../sandbox/privileges.ts';
import type { WrapperSettings } from '../settings.ts';
import { startHelper } from './helper-process.ts';
import { IGNORE_BYTES, IGNORE_FILE, toExcludes } from './ignore-file.ts';

/** Marks a workspace that is being filled; it is not a file of the agent. */
export const FILL_MARKER = '.worker-manager-source';
const BLOCK_BYTES = 256 * 1024;
const WARNINGS_SHOWN = 20;
const WARNING_CHARACTERS = 300;

/** The same order, names and owners whenever and wherever the same files are packed. */
const TAR = [
  '-cf',
  '-',
  '--format=gnu',
  '--sort=name',
  '--sparse',
  '--one-file-system',
  '--numeric-owner',
  '--owner=0',
  '--group=0',
  '--ignore-failed-read',
  '--wildcards',
];
/** Without the folder itself, whose owner and times are not the agent's. */
const PACK = 'find . -mindepth 1 -maxdepth 1 -print0 | sort -z | tar "$@" --null --verbatim-files-from -T -';
/** Only a regular file, because a pipe would never end. */
const READ_IGNORED = `[ -f ${IGNORE_FILE} ] && exec head -c ${IGNORE_BYTES + 1} -- ${IGNORE_FILE} || exit 0`;

export interface ArchiveDeps {
  privileges: Pick<Privileges, 'helperCommand'>;
  settings: Pick<WrapperSettings, 'workspace' | 'bodyId' | 'inherited'>;
}

/** An archive while it is made. */
export interface Packing {
  format: ArchiveFormat;
  /** Ends when the archive is complete, and is destroyed if it cannot be. */
  stream: Readable;
  /** What could not be read; complete when the stream has ended. */
  warnings(): string[];
}

/** Begins to pack. Throws a Fault if that is not possible. */
export async function packWorkspace({ privileges, settings }: ArchiveDeps): Promise<Packing> {
  const { workspace: cwd, bodyId, inherited } = settings;
  const common = { cwd, bodyId, path: inherited.PATH };
  const argv = (...words: string[]) => privileges.helperCommand(words);
  const reader = startHelper({
    ...common,
    argv: argv('sh', '-c', READ_IGNORED),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let ignored = '';
  reader.child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    ignored += part;
  });
  const read = await reader.ended;
  if (read.code !== 0) throw failed(read.lines.at(-1) ?? `sh ended with ${read.code}`);
  const words = [...TAR, '--anchored', `--exclude=./${FILL_MARKER}`, ...toExcludes(ignored)];
  const { child, ended } = startHelper({
    ...common,
    argv: argv('sh', '-c', PACK, 'sh', ...words),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { stdout } = child;
  const stream = new PassThrough({ highWaterMark: BLOCK_BYTES });
  stream.on('error', () => {});
  let warnings: string[] = [];
  if (!stdout) throw failed((await ended).lines.at(-1) ?? 'tar could not be started');
  const [format, compress] = createCompressor();
  const flowing = pipeline(stdout, inBlocks, compress, stream, { end: false });
  // If the reader leaves, tar is ended by the broken pipe.
  stream.once('close', () => stdout.destroy());
  void Promise.all([flowing, ended]).then(
    ([, end]) => {
      // 1: a file changed while it was read.
      if (end.code !== 0 && end.code !== 1) {
        stream.destroy(failed(end.lines.at(-1) ?? `tar ended with ${end.code}`));
        return;
      }
      warnings = toWarnings(end.lines);
      stream.end();
    },
    (error: Error) => stream.destroy(error),
  );
  return { format, stream, warnings: () => warnings };
}

/** Level 1 of zstd packs several times as fast as gzip, and smaller. Node has it from 22.15 on. */
function createCompressor(): [ArchiveFormat, NodeJS.ReadWriteStream] {
  const { createZstdCompress, constants } = zlib as Partial<typeof zlib>;
  if (!createZstdCompress || !constants) return ['tar.gz', zlib.createGzip({ level: 1 })];
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  return ['tar.zst', createZstdCompress({ params, chunkSize: BLOCK_BYTES })];
}

/** Passes bytes on in blocks of one size, because what a compressor writes depends on how its input is cut. */
async function* inBlocks(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let used = 0;
  for await (const part of source) {
    for (let at = 0; at < part.length; ) {
      const copied = part.copy(block, used, at);
      at += copied;
      used += copied;
      if (used < BLOCK_BYTES) continue;
      yield block;
      block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      used = 0;
    }
  }
  if (used > 0) yield block.subarray(0, used);
}

/** What tar reports of files that it could not read; not of those that changed or vanished meanwhile. */
const toWarnings = (lines: string[]) =>
  lines
    .filter((line) => /Cannot /.test(line))
    .slice(0, WARNINGS_SHOWN)
    .map((line) => line.replace(/^\S*tar: (\.\/)?/, '').slice(0, WARNING_CHARACTERS));

const failed = (why: string) => new Fault('unavailable', `The workspace could not be packed: ${why}.`);
