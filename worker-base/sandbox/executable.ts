/** Which file a program's name leads to, and what the system needs to execute it. */
import { closeSync, constants, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** The kernel reads no longer first line than this. */
const FIRST_LINE = 256;

/** The file, links followed. Not asked whether we may execute it: the agent may be another user. */
export function findProgram(name: string, path: string): string | undefined {
  const places = name.includes('/')
    ? isAbsolute(name)
      ? [name]
      : []
    : path.split(delimiter).map((dir) => join(dir, name));
  for (const place of places) {
    try {
      const file = realpathSync(place);
      const { mode } = statSync(file);
      if ((mode & constants.S_IFMT) === constants.S_IFREG && (mode & 0o111) !== 0) return file;
    } catch {
      // Not here; the next directory may have it.
    }
  }
  return undefined;
}

/** Interpreter and argument that a script's first line names, as the kernel reads it; empty for anything else. */
export function readShebang(file: string): string[] {
  const line = /^#![ \t]*([^\n]+)/.exec(readFirstLine(file))?.[1] ?? '';
  return line
    .replace(/[ \t]+$/, '')
    .split(/[ \t]+/)
    .filter(Boolean);
}

/**
 * Why the system said "no such file" (ENOENT) of a program: for people, as the end of a sentence. The file may well be
 * there, and what it names as its interpreter is not.
 */
export function whyNotFound(name: string, path: string, cwd: string): string | undefined {
  const file = findProgram(name.includes('/') && !isAbsolute(name) ? join(cwd, name) : name, path);
  if (file === undefined) return undefined;
  const [interpreter] = readShebang(file);
  if (interpreter === undefined) return `${file} exists, but its loader does not`;
  if (interpreter.endsWith('\r'))
    return `${file} has Windows line endings (CRLF), so its interpreter is read as "${interpreter.slice(0, -1)}\\r": convert it to LF`;
  return `${file} exists, but its interpreter ${interpreter} does not`;
}

function readFirstLine(file: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const head = Buffer.alloc(FIRST_LINE);
    return head.toString('latin1', 0, readSync(descriptor, head, 0, FIRST_LINE, 0));
  } catch {
    return '';
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
