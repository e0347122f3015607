/** An entry of a stream, unparsed. */
export interface StreamEntry {
  id: string;
  /** The field `data`. */
  data: string;
}

/** Maximum entries and characters that wait for one reader. */
const MOST_ENTRIES = 256;
const MOST_CHARACTERS = 1_048_576;

/** The queue of one reader of a stream. If the reader is too slow, the queue is dropped and ends. */
export class Listener {
  #waiting: StreamEntry[] = [];
  #characters = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  push(entries: StreamEntry[]): void {
    if (this.#ended) return;
    this.#waiting.push(...entries);
    for (const { data } of entries) this.#characters += data.length;
    if (this.#waiting.length > MOST_ENTRIES || this.#characters > MOST_CHARACTERS) {
      this.#waiting = [];
      this.#ended = true;
    }
    this.#wake?.();
  }

  /** The entries that have arrived, or the next ones; `undefined` after the end. */
  async next(): Promise<StreamEntry[] | undefined> {
    if (this.#waiting.length === 0 && !this.#ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#wake = undefined;
    if (this.#waiting.length === 0) return undefined;
    const entries = this.#waiting;
    this.#waiting = [];
    this.#characters = 0;
    return entries;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }
}
