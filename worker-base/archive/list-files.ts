/**
 * Lists the files of a workspace that an archive has, with what says whether they have changed.
 *
 * tar itself walks over them, without reading them, so that patterns of `.workerignore` mean the same as in an archive;
 * stat then adds the inode and the times.
 */
import type { HelperEnd } from './helper-process.ts';

/** A file of a workspace. */
export interface ListedFile {
  /** As tar writes it, such as `./src/a`; each character is a byte. */
  name: string;
  /** Everything that differs after the file was changed, with its name. */
  state: string;
  /** Distinguishes files; those with the same are hard links of each other. */
  inode: string;
  hardLinks: boolean;
  size: number;
  /** The later of its two times, in milliseconds since 1970. */
  changedAt: number;
}

type Run = (words: string[], stdin?: string) => Promise<HelperEnd & { stdout: Buffer }>;

/** Without the folder itself, whose owner and times are not the agent's. */
const WALK = 'find . -mindepth 1 -maxdepth 1 -print0 | sort -z | tar "$@" --null --verbatim-files-from -T -';
const FIELDS = '%f %i %h %s %.9Y %.9Z %n\\0';
const REGULAR = 0x8;
/** Bytes of a path, with its final zero (limits.h). */
const PATH_MAX = 4096;

/** All files in the order of an archive; `lines` is what tar reports, such as folders that it could not read. */
export async function listFiles(
  run: Run,
  options: string[],
): Promise<{ files: ListedFile[]; end: HelperEnd }> {
  const words = ['-c', '-v', '-f', '/dev/null', '--sort=name', '--quoting-style=escape', ...options];
  const { stdout, ...end } = await run(['sh', '-c', WALK, 'sh', ...words]);
  const names = stdout
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '')
    .map(unquote);
  const usable = names.filter((name) => name.length < PATH_MAX);
  // tar can walk deeper than a path can name, but cannot unpack that.
  for (const name of names)
    if (name.length >= PATH_MAX)
      end.lines.push(
        `tar: ${name.slice(0, 100).replace(/[^\x20-\x7e]/g, '?')}…: Cannot save: File name too long`,
      );
  if (usable.length === 0) return { files: [], end };
  const stat = ['xargs', '-0', 'stat', '--printf', FIELDS, '--'];
  const listed = await run(stat, usable.join('\0'));
  // What has vanished since is missing.
  const files = listed.stdout.toString('latin1').split('\0').filter(Boolean).map(parse);
  return { files, end };
}

function parse(record: string): ListedFile {
  const fields = record.split(' ', 6);
  const [mode = '', inode = '', links, size, modified, changed] = fields;
  const end = fields.reduce((sum, { length }) => sum + length + 1, 0);
  return {
    name: record.slice(end),
    state: record,
    inode,
    hardLinks: links !== '1' && Number.parseInt(mode, 16) >> 12 === REGULAR,
    size: Number(size),
    changedAt: Math.max(Number(modified), Number(changed)) * 1000,
  };
}

const ESCAPES: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** The opposite of tar's quoting style `escape`. */
const unquote = (text: string) =>
  text.replace(/\\([0-7]{3}|.)/gs, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (ESCAPES[code] ?? code),
  );
