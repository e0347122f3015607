/** `.workerignore`: which files of a workspace are not saved, as arguments of GNU tar. Pure. */
import { Fault } from '../../src/model/values/fault.ts';

export const IGNORE_FILE = '.workerignore';
/** Bytes that are read of it. */
export const IGNORE_BYTES = 64 * 1024;
const MOST_PATTERNS = 1000;

/**
 * Arguments for the lines of the file, which are a part of those of git: a pattern with a slash is relative to the workspace,
 * one without matches at every depth, and a folder is left out with everything in it. Throws a Fault for `!`.
 */
export function toExcludes(text: string): string[] {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/\r$/, '').trimEnd())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length > MOST_PATTERNS || Buffer.byteLength(text) > IGNORE_BYTES)
    throw refuse(`has more than ${MOST_PATTERNS} lines or ${IGNORE_BYTES} bytes`);
  return lines.flatMap(toArguments);
}

function toArguments(line: string): string[] {
  if (line.startsWith('!'))
    throw refuse(`has the line ${line.slice(0, 100)}, but cannot bring back what another line leaves out`);
  // tar knows no pattern for folders only.
  const pattern = line.replace(/^\\([#!])/, '$1').replace(/\/+$/, '');
  if (pattern === '') return [];
  const inner = pattern.replace(/^(\*\*\/)+/, '');
  if (!inner.includes('/')) return ['--no-anchored', '--no-wildcards-match-slash', `--exclude=${inner}`];
  const anchored = inner === pattern;
  const path = anchored ? `./${inner.replace(/^\/+/, '')}` : inner;
  return [
    anchored ? '--anchored' : '--no-anchored',
    path.includes('**') ? '--wildcards-match-slash' : '--no-wildcards-match-slash',
    ...expand(path).map((one) => `--exclude=${one}`),
  ];
}

/** `**` means any number of folders, and none as well. */
function expand(path: string): string[] {
  const open = path.replace(/\/\*\*$/, '/*');
  return open.includes('/**/') ? [open.replaceAll('/**/', '/'), open.replaceAll('/**/', '/*/')] : [open];
}

const refuse = (why: string) => new Fault('conflict', `The file ${IGNORE_FILE} of the workspace ${why}.`);
