/**
 * The read position in the input stream: up to where all entries are handled, and which later ones are. Pure.
 */
export class InputPosition {
  /** IDs that were delivered and are not passed yet, in the order of the stream. */
  readonly #order: string[] = [];
  readonly #done = new Set<string>();
  readonly #held = new Set<string>();
  /** The newest ID up to which every entry is handled; undefined before the first. */
  passed: string | undefined;

  constructor(passed: string | undefined) {
    this.passed = passed;
  }

  /**
   * How to treat a delivered entry: `new` ones are passed on; `held` ones were passed on and are not handled
   * yet; `done` ones are handled, and are delivered again only because the group has lost its position.
   */
  take(id: string): 'new' | 'held' | 'done' {
    if (this.#held.has(id)) return 'held';
    if (this.#done.has(id) || (this.passed !== undefined && !isAfter(id, this.passed))) return 'done';
    this.#held.add(id);
    this.#order.push(id);
    return 'new';
  }

  /** The entry is handled. */
  finish(id: string): void {
    if (!this.#held.delete(id)) return;
    this.#done.add(id);
    for (let first = this.#order[0]; first !== undefined && this.#done.has(first); first = this.#order[0]) {
      this.#order.shift();
      this.#done.delete(first);
      this.passed = first;
    }
  }

  /** The stream's newest ID is before the position: it is a new stream, and reading starts again. */
  isOf(lastId: string): boolean {
    return this.passed === undefined || !isAfter(this.passed, lastId);
  }

  forget(): void {
    this.passed = undefined;
    this.#done.clear();
    this.#order.splice(0, this.#order.length, ...this.#held);
  }
}

/** Whether the first stream ID is greater than the second. */
function isAfter(id: string, other: string): boolean {
  const [ms = 0, n = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherN = 0] = other.split('-').map(Number);
  return ms === otherMs ? n > otherN : ms > otherMs;
}
