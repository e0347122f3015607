/** Paths of files as they are in URLs. Names are bytes, which need not be UTF-8. Without zod, because bodies load it. */
import { Fault } from '../values/fault.ts';

/** The longest name of a file, and the longest path that is accepted, in bytes. */
const NAME_BYTES = 255;
const PATH_BYTES = 4096;
const SLASH = 0x2f;

/** The names in a percent-encoded path. Throws a Fault `invalid_command` if no file can have that path. */
export function parseFilePath(text: string): { names: Buffer[]; absolute: boolean } {
  const bytes = decodePercent(text);
  if (bytes.includes(0)) throw refuse('A path must not contain NUL.');
  if (bytes.length > PATH_BYTES) throw refuse(`A path must have at most ${PATH_BYTES} bytes.`);
  const names = splitPath(bytes);
  if (names.some(({ length }) => length > NAME_BYTES))
    throw refuse(`The name of a file must have at most ${NAME_BYTES} bytes.`);
  return { names, absolute: bytes[0] === SLASH };
}

/** The parts between slashes, without empty ones and `.`. */
export function splitPath(path: Buffer): Buffer[] {
  const names: Buffer[] = [];
  for (let from = 0; from <= path.length; ) {
    const at = path.indexOf(SLASH, from);
    const name = path.subarray(from, at < 0 ? path.length : at);
    if (name.length > 0 && !(name.length === 1 && name[0] === 0x2e)) names.push(name);
    if (at < 0) break;
    from = at + 1;
  }
  return names;
}

/** The path for a URL. */
export const encodeFilePath = (names: readonly Buffer[]): string => names.map(encodePercent).join('/');

/** Whether a name is `..`. */
export const isParentName = (name: Buffer): boolean =>
  name.length === 2 && name[0] === 0x2e && name[1] === 0x2e;

function decodePercent(text: string): Buffer {
  const bytes = Buffer.alloc(Buffer.byteLength(text));
  let length = 0;
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('%', at);
    const plain = text.slice(at, next < 0 ? undefined : next);
    length += bytes.write(plain, length);
    if (next < 0) break;
    const digits = text.slice(next + 1, next + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(digits))
      throw refuse('The path has a % without two hexadecimal digits; encode % itself as %25.');
    bytes[length] = Number.parseInt(digits, 16);
    length += 1;
    at = next + 3;
  }
  return bytes.subarray(0, length);
}

function encodePercent(name: Buffer): string {
  let text = '';
  for (const byte of name) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9._~-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

const refuse = (message: string) =>
  new Fault('invalid_command', message, { issues: [{ path: 'path', message }], reason: 'invalid_path' });
