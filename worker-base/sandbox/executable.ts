/** Finds the file of a program's name, and what the system needs to execute it. */
import { closeSync, constants, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** The maximum length of a first line that the kernel reads. */
const FIRST_LINE = 256;

/**
 * The file, with links resolved. Our own permission is not checked, because the agent may be another user.
 */
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

/** Interpreter and argument in a script's first line, as the kernel reads it; empty for other files. */
export function readShebang(file: string): string[] {
  const line = /^#![ \t]*([^\n]+)/.exec(readFirstLine(file))?.[1] ?? '';
  return line
    .replace(/[ \t]+$/, '')
    .split(/[ \t]+/)
    .filter(Boolean);
}

/**
 * Why the system reported "no such file" (ENOENT) for a program, as the end of a sentence for users. The file
 * may exist while its interpreter does not.
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
