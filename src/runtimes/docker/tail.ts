import { stripVTControlCharacters } from 'node:util';

/** Maximum lines and bytes of a dead body's output that are kept as evidence. */
export const TAIL_LINES = 20;
const TAIL_BYTES = 4096;
/** Header: stream (1 byte), three zero bytes, length (4 bytes, big endian). */
const HEADER = 8;

/** The text of the engine's multiplexed log, without escape sequences or control characters. Pure. */
export function readTail(log: Buffer): string {
  const text = stripVTControlCharacters(demultiplex(log).toString('utf8'))
    .replaceAll('\r\n', '\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ')
    .trimEnd();
  const lines = text.split('\n').slice(-TAIL_LINES).join('\n');
  const bytes = Buffer.from(lines);
  if (bytes.length <= TAIL_BYTES) return lines;
  // Cut between characters: a UTF-8 continuation byte never starts the text.
  let start = bytes.length - TAIL_BYTES;
  while (((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes.subarray(start).toString('utf8');
}

/** Exit codes of the engine's init if the program does not exist or is not executable. */
const INIT_FAILED = [126, 127];

/**
 * Parses the message of the engine's init about a program that it could not run. The engine itself reports
 * such a body as started and ended. Pure.
 */
export function initError(exitCode: number | undefined, tail: string): string | undefined {
  if (exitCode === undefined || !INIT_FAILED.includes(exitCode)) return undefined;
  return /^\[FATAL tini \(\d+\)\] (exec .+ failed: .+)$/m.exec(tail)?.[1];
}

function demultiplex(log: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + HEADER <= log.length; ) {
    const length = log.readUInt32BE(at + 4);
    parts.push(log.subarray(at + HEADER, at + HEADER + length));
    at += HEADER + length;
  }
  return Buffer.concat(parts);
}
