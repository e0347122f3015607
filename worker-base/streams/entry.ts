/** Text of one stream, ready to be sent. */
export interface Piece {
  /** Whole lines without the last newline; or, when `partial`, part of a line: no newline follows it. */
  text: string;
  /** Newlines that it stands for: 0 when `partial`. */
  lines: number;
  /** Bytes as the agent wrote them, newlines included. */
  bytes: number;
  partial: boolean;
  /** The bytes of `text` in base64, if they are no UTF-8: those that are none are U+FFFD in `text`. */
  base64?: string;
}

/** One entry of the output stream on its way to Redis. */
export interface OutputEntry {
  seq: number;
  /** The JSON of the field `data`. */
  data: string;
  /** The part of the agent's output that it holds, to report what was lost with it. */
  lines: number;
  bytes: number;
  /** The stream id, given when it is sent for the first time and kept as long as it may have been written. */
  id?: string | undefined;
  /** It was sent, and it is unknown whether it arrived. */
  tried?: boolean;
}

/**
 * Makes stream ids that only rise, also when the clock goes back. An id of our own making is what lets Redis refuse an
 * entry that it has already: `*` would make a second one of it.
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

  /** Continues above an id that is in the stream already. */
  raise(id: string): void {
    const [ms = 0, n = 0] = id.split('-').map(Number);
    if (ms > this.#ms || (ms === this.#ms && n > this.#n)) {
      this.#ms = ms;
      this.#n = n;
    }
  }
}
