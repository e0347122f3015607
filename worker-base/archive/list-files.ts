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

/** One program, because a shell does not report that another one of a pipeline was killed. */
const WALK = ['tar', '-c', '-v', '-f', '/dev/null', '--sort=name', '--quoting-style=escape'];
/** The workspace itself, whose owner and times are not the agent's. */
const ROOT = './';
const FIELDS = '%f %i %h %s %.9Y %.9Z %n\\0';
const REGULAR = 0x8;
/** Bytes of a path, with its final zero (limits.h). */
const PATH_MAX = 4096;
/** What stat says of a file that is not there any more. */
const VANISHED = new Set(['No such file or directory', 'Not a directory']);
/** xargs ends with this code if stat failed for a file; with others if it was killed. */
export const STAT_CODES = [0, 123];

/** All files in the order of an archive, and how the programs ended; `walk.lines` names what could not be read. */
export async function listFiles(
  run: Run,
  options: string[],
): Promise<{ files: ListedFile[]; walk: HelperEnd; stat: HelperEnd }> {
  const { stdout, ...walk } = await run([...WALK, ...options, '.']);
  const names = stdout
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '' && line !== ROOT)
    .map(unquote);
  const usable = names.filter((name) => name.length < PATH_MAX);
  // tar can walk deeper than a path can name, but cannot unpack that.
  for (const name of names)
    if (name.length >= PATH_MAX)
      walk.lines.push(
        `tar: ${name.slice(0, 100).replace(/[^\x20-\x7e]/g, '?')}…: Cannot save: File name too long`,
      );
  if (usable.length === 0) return { files: [], walk, stat: { code: 0, lines: [] } };
  const program = ['xargs', '-0', 'stat', '--printf', FIELDS, '--'];
  const { stdout: records, ...stat } = await run(program, usable.join('\0'));
  // What has vanished since is missing.
  const files = records.toString('latin1').split('\0').filter(Boolean).map(parse);
  for (const line of stat.lines) {
    const [, name, why] = /cannot statx? '(.*)': (.*)$/.exec(line) ?? [];
    if (name !== undefined && !VANISHED.has(why ?? '')) walk.lines.push(`tar: ${name}: Cannot stat: ${why}`);
  }
  return { files, walk, stat };
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
