import { findJsonExcess, type JsonBounds } from '../model/values/bounded-json.ts';
import { Fault } from '../model/values/fault.ts';

/** Maximum number of bytes of one line: a task is not a file. */
export const TASK_LINE_BYTES = 1024 ** 2;
/** Validation is recursive, and so is a handler's language. */
const BOUNDS: JsonBounds = { depth: 200, values: 50_000 };
const NEWLINE = 10;

/** One line of JSON lines. */
export interface TaskLine {
  /** Its number in the input, from 1. */
  line: number;
  /** Its bytes without the newline; absent if it has more than TASK_LINE_BYTES. */
  bytes?: Buffer;
}

/** Splits JSON lines; blank lines count but are left out. Never holds more than one line and one chunk. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TaskLine> {
  let line = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer) => {
    length += part.length;
    if (length <= TASK_LINE_BYTES) parts.push(part);
    else parts = [];
  };
  const take = (): TaskLine[] => {
    const bytes = Buffer.concat(parts);
    const found = length > TASK_LINE_BYTES ? [{ line }] : isBlank(bytes) ? [] : [{ line, bytes }];
    parts = [];
    length = 0;
    line += 1;
    return found;
  };
  for await (const chunk of chunks) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      add(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      yield* take();
    }
    // A copy, because the chunk may be reused.
    if (rest.length > 0) add(Buffer.from(rest));
  }
  yield* take();
}

/** Only spaces, tabs and carriage returns. */
const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => byte === 32 || byte === 9 || byte === 13);

/** The value of a line; throws a Fault `invalid_command` if it is too long, or not JSON. */
export function parseTaskLine({ bytes }: TaskLine): unknown {
  if (!bytes) throw refused(`has more than ${TASK_LINE_BYTES} bytes`);
  const text = decode(bytes);
  const excess = findJsonExcess(text, BOUNDS);
  if (excess) throw refused(excess);
  try {
    return JSON.parse(text);
  } catch {
    throw refused('is not JSON');
  }
}

function decode(bytes: Buffer): string {
  try {
    // It also drops a byte order mark, which Windows editors write at the start.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refused('is not UTF-8');
  }
}

const refused = (why: string) => new Fault('invalid_command', `The task was refused: its line ${why}.`);
