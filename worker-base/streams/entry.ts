/** Text of one stream, ready to be sent. */
export interface Piece {
  /** Whole lines without the last newline; or, when `partial`, part of a line: no newline follows it. */
  text: string;
  /** Number of newlines: 0 if `partial`. */
  lines: number;
  /** Bytes as the agent wrote them, newlines included. */
  bytes: number;
  partial: boolean;
  /** The bytes of `text` in base64, if they are not valid UTF-8; invalid ones are U+FFFD in `text`. */
  base64?: string;
}

/** One entry of the output stream on its way to Redis. */
export interface OutputEntry {
  seq: number;
  /** The JSON of the field `data`. */
  data: string;
  /** The amount of the agent's output in it, so that its loss can be reported. */
  lines: number;
  bytes: number;
  /** The stream ID, assigned when it is first sent and kept while it may have been written. */
  id?: string | undefined;
  /** It was sent, and it is unknown whether it arrived. */
  tried?: boolean;
}

/**
 * Creates stream IDs that only increase, even if the clock is set back. With an explicit ID, Redis rejects an
 * entry that it already has; `*` would create a duplicate.
 */
export class StreamIdGenerator {
  #ms = 0;
  #n = 0;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  next(): string {
    const now = this.#now();
    if (now > this.#ms) {
      this.#ms = now;
      this.#n = 0;
    } else {
      this.#n += 1;
    }
    return `${this.#ms}-${this.#n}`;
  }

  /** Continues above an ID that is already in the stream. */
  raise(id: string): void {
    const [ms = 0, n = 0] = id.split('-').map(Number);
    if (ms > this.#ms || (ms === this.#ms && n > this.#n)) {
      this.#ms = ms;
      this.#n = n;
    }
  }
}
