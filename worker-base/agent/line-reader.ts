import { isUtf8 } from 'node:buffer';
import type { Piece } from '../streams/entry.ts';
import { LINE_BYTES, PIECE_BYTES } from '../streams/limits.ts';

const NEWLINE = 10;

/**
 * Cuts the bytes of one pipe into whole lines. No character is split between reads; bytes that are not UTF-8
 * become U+FFFD. It buffers at most PIECE_BYTES, the unfinished line.
 */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** Takes the bytes read and returns the complete pieces. */
  push(chunk: Buffer): Piece[] {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const pieces: Piece[] = [];
    let at = 0;
    while (at < data.length) {
      const window = data.subarray(at, at + PIECE_BYTES);
      const end = window.lastIndexOf(NEWLINE);
      if (end >= 0) {
        pieces.push(wholeLines(window.subarray(0, end)));
        at += end + 1;
      } else if (window.length === PIECE_BYTES && data.length > at + PIECE_BYTES) {
        const cut = characterBorder(window);
        pieces.push(toPiece(window.subarray(0, cut), 0));
        at += cut;
      } else {
        break;
      }
    }
    // A copy, so that a small rest does not keep the whole buffer in memory.
    this.#rest = Buffer.from(data.subarray(at));
    return pieces;
  }

  /** Bytes of the line that no newline has ended yet. */
  get held(): number {
    return this.#rest.length;
  }

  /** The unfinished line up to the last whole character; empty if there is none. */
  release(): Piece[] {
    return this.#cutRest(characterBorder(this.#rest));
  }

  /** The rest of the unfinished line; empty if there is none. */
  flush(): Piece[] {
    return this.#cutRest(this.#rest.length);
  }

  #cutRest(end: number): Piece[] {
    if (end === 0) return [];
    const piece = toPiece(this.#rest.subarray(0, end), 0);
    this.#rest = Buffer.from(this.#rest.subarray(end));
    return [piece];
  }
}

/** One line of a protocol without its newline; if it is too long, `text` is only its beginning. */
export interface Line {
  text: string;
  cut: boolean;
}

/** Cuts a pipe into whole lines, for a protocol whose messages are lines. It buffers at most LINE_BYTES. */
export class LineReader {
  #parts: Buffer[] = [];
  #bytes = 0;

  /** Takes the bytes read and returns the lines that they complete. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      this.#add(chunk.subarray(at, end));
      lines.push(this.#take());
      at = end + 1;
    }
    if (at < chunk.length) this.#add(Buffer.from(chunk.subarray(at)));
    return lines;
  }

  /** Bytes of the line that no newline has ended yet. */
  get held(): number {
    return this.#bytes;
  }

  /** Empty, because a protocol's message is read only when it is complete. */
  release(): Line[] {
    return [];
  }

  /** The last line without a newline; empty if there is none. */
  flush(): Line[] {
    return this.#bytes === 0 ? [] : [this.#take()];
  }

  #add(part: Buffer): void {
    const before = this.#bytes;
    this.#bytes += part.length;
    if (this.#bytes <= LINE_BYTES) this.#parts.push(part);
    else if (before <= LINE_BYTES) {
      const beginning = Buffer.concat([...this.#parts, part]).subarray(0, PIECE_BYTES);
      this.#parts = [Buffer.from(beginning.subarray(0, characterBorder(beginning)))];
    }
  }

  #take(): Line {
    const line = { text: Buffer.concat(this.#parts).toString('utf8'), cut: this.#bytes > LINE_BYTES };
    this.#parts = [];
    this.#bytes = 0;
    return line;
  }
}

function wholeLines(bytes: Buffer): Piece {
  let lines = 1;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return toPiece(bytes, lines);
}

/** Text of `lines` lines, without the last newline. */
function toPiece(bytes: Buffer, lines: number): Piece {
  const partial = lines === 0;
  const piece = { text: bytes.toString('utf8'), lines, bytes: bytes.length + (partial ? 0 : 1), partial };
  return isUtf8(bytes) ? piece : { ...piece, base64: bytes.toString('base64') };
}

/** The last position in a full window that splits no UTF-8 character; the end if it is not UTF-8. */
export function characterBorder(bytes: Buffer): number {
  for (let back = 1; back <= 3; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const size = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return size > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
