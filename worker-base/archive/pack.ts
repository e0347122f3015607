/**
 * Packs a workspace: tracked, untracked and git's own files, as a compressed tar that has the same bytes for the same
 * files. Files that have not changed since an earlier archive are not read again.
 *
 * tar runs as the agent's user, because the agent may have files that only it can read. An agent that works meanwhile does
 * not stop it: a file that changes while it is read is saved as it was read.
 */
import type { Writable } from 'node:stream';
import { errorMessage, Fault } from '../../src/model/values/fault.ts';
import type { ArchiveFormat } from '../../src/model/worker/archive-format.ts';
import type { Privileges } from '../sandbox/privileges.ts';
import type { WrapperSettings } from '../settings.ts';
import { type ArchivePart, type ChunkIndex, type KnownChunk, toParts } from './archive-parts.ts';
import { createCompressor } from './compress-chunks.ts';
import { groupFiles } from './file-groups.ts';
import { type HelperEnd, startHelper } from './helper-process.ts';
import { IGNORE_BYTES, IGNORE_FILE, toExcludes } from './ignore-file.ts';
import { listFiles, STAT_CODES } from './list-files.ts';

/** Marks a workspace that is being filled; it is not a file of the agent. */
export const FILL_MARKER = '.worker-manager-source';
const WARNINGS_SHOWN = 20;
const WARNING_CHARACTERS = 300;

/** The same names, owners and kinds of members whenever and wherever the same files are packed. */
const TAR = [
  '--format=gnu',
  '--sparse',
  '--one-file-system',
  '--numeric-owner',
  '--owner=0',
  '--group=0',
  '--ignore-failed-read',
];
/** The files that the listing has named, and no others. */
const PACK = ['tar', '-cf', '-', ...TAR, '--no-recursion', '--null', '--verbatim-files-from', '-T', '-'];
/** Only a regular file, because a pipe would never end. */
const READ_IGNORED = `[ -f ${IGNORE_FILE} ] && exec head -c ${IGNORE_BYTES + 1} -- ${IGNORE_FILE} || exit 0`;

export interface ArchiveDeps {
  privileges: Pick<Privileges, 'helperCommand'>;
  settings: Pick<WrapperSettings, 'workspace' | 'bodyId' | 'inherited'>;
}

/** An archive while it is made. */
export interface Packing {
  format: ArchiveFormat;
  /** Throws a Fault if the archive cannot be completed. */
  parts: AsyncGenerator<ArchivePart>;
  /** What could not be read; complete when the parts have ended. */
  warnings(): string[];
  /** The chunks of the files that have not changed until a fingerprint of theirs does; complete when the parts have ended. */
  index(): ChunkIndex;
}

/** Begins to pack. `known` is the index of an archive whose chunks the receiver has. Throws a Fault if it is not possible. */
export async function packWorkspace(
  { privileges, settings }: ArchiveDeps,
  known: ChunkIndex = new Map(),
): Promise<Packing> {
  const { workspace: cwd, bodyId, inherited } = settings;
  const start = (words: string[], stdin: 'pipe' | 'ignore') =>
    startHelper({
      cwd,
      bodyId,
      path: inherited.PATH,
      argv: privileges.helperCommand(words),
      stdio: [stdin, 'pipe', 'pipe'],
      // The body may end meanwhile.
      detached: true,
    });
  const run = async (words: string[], stdin?: string) => {
    const { child, ended } = start(words, stdin === undefined ? 'ignore' : 'pipe');
    child.stdin?.end(stdin, 'latin1');
    const parts: Buffer[] = [];
    child.stdout?.on('data', (part: Buffer) => parts.push(part));
    return { ...(await ended), stdout: Buffer.concat(parts) };
  };
  const ignored = await run(['sh', '-c', READ_IGNORED]);
  expectEnd(ignored, 'sh', [0]);
  const listedAt = Date.now();
  const excludes = ['--wildcards', '--anchored', `--exclude=./${FILL_MARKER}`];
  const options = [...TAR, ...excludes, ...toExcludes(ignored.stdout.toString())];
  const { files, walk, stat } = await listFiles(run, options);
  expectEnd(walk, 'tar', [0, 1]);
  expectEnd(stat, 'stat', STAT_CODES);
  const groups = groupFiles(files, listedAt);
  const due = groups.filter(({ fingerprint }) => !known.has(fingerprint));
  const compressor = createCompressor();
  const index = new Map<string, readonly KnownChunk[]>();
  const warnings = toWarnings(walk.lines);
  async function* pack(): AsyncGenerator<ArchivePart> {
    const tar = due.length > 0 ? start(PACK, 'pipe') : undefined;
    const names = due.flatMap((group) => group.names.map((name) => `${name}\0`));
    (tar?.child.stdin as Writable | undefined)?.end(names.join(''), 'latin1');
    // If the reader leaves, tar is ended by the broken pipe.
    const stdout = tar?.child.stdout ?? undefined;
    try {
      yield* toParts({ groups, known, tar: stdout, compressor, index });
      if (!tar) return;
      const ended = await tar.ended;
      // 1: a file changed while it was read.
      expectEnd(ended, 'tar', [0, 1]);
      warnings.push(...toWarnings(ended.lines));
      // What tar could not read to its end is padded with zeros, and not remembered.
      if (ended.lines.some((line) => /Read error|Cannot read/.test(line))) index.clear();
    } catch (error) {
      if (error instanceof Fault) throw error;
      stdout?.destroy();
      const ended = await tar?.ended;
      throw failed(ended?.code ? (ended.lines.at(-1) ?? errorMessage(error)) : errorMessage(error));
    } finally {
      stdout?.destroy();
    }
  }
  return {
    format: compressor.format,
    parts: pack(),
    warnings: () => warnings.slice(0, WARNINGS_SHOWN),
    index: () => index,
  };
}

function expectEnd({ code, signal, lines }: HelperEnd, program: string, expected: number[]): void {
  if (code === null || !expected.includes(code))
    throw failed(lines.at(-1) ?? `${program} ended with ${code ?? signal}`);
}

/** What tar reports of files that it could not read; not of those that changed or vanished meanwhile. */
const toWarnings = (lines: string[]) =>
  lines
    .filter((line) => /Cannot (?!stat: No such file)/.test(line))
    .map((line) => line.replace(/^\S*tar: (\.\/)?/, '').slice(0, WARNING_CHARACTERS));

const failed = (why: string) => new Fault('unavailable', `The workspace could not be packed: ${why}.`);
