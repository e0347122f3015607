/**
 * The headers of tar archives: POSIX ustar, with GNU's records for long names and large files, and pax records when reading. Our
 * own code, because the libraries take names for UTF-8, and the name of a file is bytes. Pure.
 */

export const BLOCK = 512;
/** The longest name or record that is read, so that an archive cannot fill the memory. */
export const LONGEST_RECORD = 1024 ** 2;

/** What is wrong with an archive. */
export class TarError extends Error {}

export interface TarHeader {
  name: Buffer;
  type:
    | 'file'
    | 'directory'
    | 'symlink'
    | 'link'
    | 'device'
    | 'pax'
    | 'global'
    | 'long-name'
    | 'long-link'
    | 'unknown';
  mode: number;
  size: number;
  /** Seconds since 1970. */
  mtime: number;
  /** What a link leads to. */
  target: Buffer;
}

const TYPES: Record<string, TarHeader['type']> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'device',
  '4': 'device',
  '5': 'directory',
  '6': 'device',
  x: 'pax',
  g: 'global',
  L: 'long-name',
  K: 'long-link',
};
const NAME_BYTES = 100;
/** The largest size in eleven octal digits. */
const OCTAL_MOST = 8 ** 11 - 1;

/** The header of an entry, with what precedes it if its name or target is long. */
export function encodeTarHeader(
  entry: Pick<TarHeader, 'name' | 'mode' | 'size' | 'mtime' | 'target'> & {
    type: 'file' | 'directory' | 'symlink';
    uid: number;
    gid: number;
  },
): Buffer {
  const name = entry.type === 'directory' ? Buffer.concat([entry.name, Buffer.from('/')]) : entry.name;
  const flag = { file: '0', directory: '5', symlink: '2' }[entry.type];
  return Buffer.concat([
    ...longRecord('L', name),
    ...longRecord('K', entry.target),
    block({ ...entry, name, flag }),
  ]);
}

function longRecord(flag: string, value: Buffer): Buffer[] {
  if (value.length <= NAME_BYTES) return [];
  const content = Buffer.concat([value, Buffer.alloc(1)]);
  const name = Buffer.from('././@LongLink');
  const header = block({
    name,
    target: Buffer.alloc(0),
    flag,
    mode: 0,
    size: content.length,
    mtime: 0,
    uid: 0,
    gid: 0,
  });
  return [header, content, padding(content.length)];
}

function block(entry: {
  name: Buffer;
  target: Buffer;
  flag: string;
  mode: number;
  size: number;
  mtime: number;
  uid: number;
  gid: number;
}): Buffer {
  const header = Buffer.alloc(BLOCK);
  entry.name.copy(header, 0, 0, NAME_BYTES);
  header.write(`${octal(entry.mode, 7)}\0`, 100, 'latin1');
  writeNumber(header, 108, 8, entry.uid);
  writeNumber(header, 116, 8, entry.gid);
  writeNumber(header, 124, 12, entry.size);
  writeNumber(header, 136, 12, Math.max(0, entry.mtime));
  header.write('        ', 148, 'latin1');
  header.write(entry.flag, 156, 'latin1');
  entry.target.copy(header, 157, 0, NAME_BYTES);
  header.write('ustar  \0', 257, 'latin1');
  header.write(`${octal(sumOf(header), 6)}\0 `, 148, 'latin1');
  return header;
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0').slice(-digits);

/** In octal digits, or in bytes with the first bit set, as GNU does for large numbers. */
function writeNumber(header: Buffer, at: number, length: number, value: number): void {
  if (value <= (length === 12 ? OCTAL_MOST : 8 ** (length - 1) - 1)) {
    header.write(`${octal(value, length - 1)}\0`, at, 'latin1');
    return;
  }
  header.writeUInt8(0x80, at);
  header.writeBigUInt64BE(BigInt(value), at + length - 8);
}

/** Zeros up to the next block. */
export const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/** Reads a block; undefined if it is all zero, as at the end of an archive; throws if it is not a header. */
export function decodeTarHeader(header: Buffer): TarHeader | undefined {
  const sum = readNumber(header, 148, 8);
  if (header.every((byte) => byte === 0)) return undefined;
  if (sum !== sumOf(header)) throw new TarError('it is not a tar archive, or it is damaged');
  const name = untilZero(header.subarray(0, NAME_BYTES));
  const posix = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = posix ? untilZero(header.subarray(345, 500)) : Buffer.alloc(0);
  const whole = prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name;
  const type = TYPES[header.toString('latin1', 156, 157)] ?? 'unknown';
  const size = readNumber(header, 124, 12);
  if (size < 0) throw new TarError('it has a file of a negative size');
  return {
    name: whole,
    type,
    mode: Math.max(0, readNumber(header, 100, 8)),
    size,
    // Before 1970, a time is negative.
    mtime: Math.max(0, readNumber(header, 136, 12)),
    target: untilZero(header.subarray(157, 257)),
  };
}

function readNumber(header: Buffer, at: number, length: number): number {
  const first = header.readUInt8(at);
  if (first & 0x80) {
    if (first & 0x40) return -1;
    const value = header.readBigUInt64BE(at + length - 8);
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
  }
  return (
    Number.parseInt(
      header
        .toString('latin1', at, at + length)
        .replace(/[\0 ]+/g, ' ')
        .trim(),
      8,
    ) || 0
  );
}

/** The sum of all bytes, with spaces in the place of the sum. */
function sumOf(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < BLOCK; at += 1) sum += at >= 148 && at < 156 ? 0x20 : (header[at] ?? 0);
  return sum;
}

/** The bytes before the first zero. */
export function untilZero(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The fields that matter of pax records, `LENGTH KEY=VALUE\n` each; throws if they are damaged. */
export function decodePax(records: Buffer): {
  path?: Buffer;
  linkpath?: Buffer;
  size?: number;
  mtime?: number;
} {
  const fields: ReturnType<typeof decodePax> = {};
  for (let at = 0; at < records.length; ) {
    const space = records.indexOf(0x20, at);
    const length = Number(records.toString('latin1', at, space < 0 ? at : space));
    const equals = records.indexOf(0x3d, at);
    const last = at + length - 1;
    if (!(length > 3) || records[last] !== 0x0a || equals < 0 || equals >= last)
      throw new TarError('its pax records are damaged');
    const value = Buffer.from(records.subarray(equals + 1, last));
    const key = records.toString('latin1', space + 1, equals);
    if (key === 'path' || key === 'linkpath') fields[key] = value;
    // An empty value is none.
    if ((key === 'size' || key === 'mtime') && value.length > 0)
      fields[key] = readDecimal(key, value.toString('latin1'));
    at += length;
  }
  return fields;
}

/** A part of a byte would be waited for forever. Times have fractions, and may be before 1970. */
function readDecimal(key: 'size' | 'mtime', text: string): number {
  const pattern = key === 'size' ? /^\d{1,15}$/ : /^-?\d{1,15}(\.\d*)?$/;
  if (!pattern.test(text)) throw new TarError('its pax records are damaged');
  return Number(text);
}
