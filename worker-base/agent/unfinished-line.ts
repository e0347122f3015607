import { UNFINISHED_AGE_MS, UNFINISHED_QUIET_MS } from '../streams/limits.ts';

/** Watches the unfinished line of one pipe, and flushes it without a newline after a time. */
export class Unfinished {
  readonly #release: () => void;
  #timer: NodeJS.Timeout | undefined;
  #since: number | undefined;
  #changedAt = 0;

  constructor(release: () => void) {
    this.#release = release;
  }

  /**
   * After each read: whether there is an unfinished line, and whether the read has completed an earlier one.
   */
  note(unfinished: boolean, ended: boolean): void {
    if (!unfinished) {
      this.#since = undefined;
      return;
    }
    this.#changedAt = performance.now();
    if (ended || this.#since === undefined) this.#since = this.#changedAt;
    // One timer that checks again, so that a flood of short reads does not create a new one each time.
    this.#timer ??= setTimeout(() => this.#look(), UNFINISHED_QUIET_MS);
  }

  /** The pipe has ended, or is flushed. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#since = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#since === undefined) return;
    const now = performance.now();
    const wait = Math.min(this.#changedAt + UNFINISHED_QUIET_MS, this.#since + UNFINISHED_AGE_MS) - now;
    if (wait > 0) {
      this.#timer = setTimeout(() => this.#look(), wait);
      return;
    }
    this.#since = undefined;
    this.#release();
  }
}
