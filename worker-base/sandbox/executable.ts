/** Finds the file of a program's name, and what the system needs to execute it. */
import { closeSync, constants, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { basename, delimiter, isAbsolute, join } from 'node:path';

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
  const file = findFrom(name, path, cwd);
  if (file === undefined) return undefined;
  const [interpreter] = readShebang(file);
  if (interpreter === undefined) return `${file} exists, but its loader does not`;
  return findCarriageReturn(file) ?? `${file} exists, but its interpreter ${interpreter} does not`;
}

/**
 * Why a script cannot run although the system would execute its interpreter: `env` would not find the program that it
 * names, or the interpreter would get a carriage return as an argument. Undefined if nothing is known against it.
 */
export function whyScriptFails(name: string, path: string, cwd: string): string | undefined {
  const file = findFrom(name, path, cwd);
  if (file === undefined) return undefined;
  const carriageReturn = findCarriageReturn(file);
  if (carriageReturn) return carriageReturn;
  const [interpreter = '', ...words] = readShebang(file);
  if (basename(interpreter) !== 'env') return undefined;
  const [program, ...rest] = words[0] === '-S' ? words.slice(1) : words;
  // Other options and variables can change where env looks.
  if (program === undefined || [program, ...rest].some((word) => /^-|=/.test(word))) return undefined;
  if (findProgram(program, path) !== undefined || program.includes('/')) return undefined;
  return `${file} needs ${program}, which is not in the PATH`;
}

const findFrom = (name: string, path: string, cwd: string) =>
  findProgram(name.includes('/') && !isAbsolute(name) ? join(cwd, name) : name, path);

function findCarriageReturn(file: string): string | undefined {
  const last = readShebang(file).at(-1);
  if (!last?.endsWith('\r')) return undefined;
  return `${file} has Windows line endings (CRLF), so its first line ends with "${last.slice(0, -1)}\\r": convert it to LF`;
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
