/** Where the reading of the input stream stands: up to where all entries are dealt with, and which after that are. Pure. */
export class InputPosition {
  /** Ids that were handed over and are not passed yet, in the order of the stream. */
  readonly #order: string[] = [];
  readonly #done = new Set<string>();
  readonly #held = new Set<string>();
  /** The newest id up to which every entry is dealt with; undefined before the first. */
  passed: string | undefined;

  constructor(passed: string | undefined) {
    this.passed = passed;
  }

  /**
   * What to do with an entry that is delivered: `new` ones are handed over; `held` ones have been and are not dealt with;
   * `done` ones are, and come again only because the group has lost its place.
   */
  take(id: string): 'new' | 'held' | 'done' {
    if (this.#held.has(id)) return 'held';
    if (this.#done.has(id) || (this.passed !== undefined && !isAfter(id, this.passed))) return 'done';
    this.#held.add(id);
    this.#order.push(id);
    return 'new';
  }

  /** The entry is dealt with. */
  finish(id: string): void {
    if (!this.#held.delete(id)) return;
    this.#done.add(id);
    for (let first = this.#order[0]; first !== undefined && this.#done.has(first); first = this.#order[0]) {
      this.#order.shift();
      this.#done.delete(first);
      this.passed = first;
    }
  }

  /** The stream's newest id lies before the place: it is another stream than the one that was read, and starts again. */
  isOf(lastId: string): boolean {
    return this.passed === undefined || !isAfter(this.passed, lastId);
  }

  forget(): void {
    this.passed = undefined;
    this.#done.clear();
    this.#order.splice(0, this.#order.length, ...this.#held);
  }
}

/** Whether the first id of a stream stands after the second. */
function isAfter(id: string, other: string): boolean {
  const [ms = 0, n = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherN = 0] = other.split('-').map(Number);
  return ms === otherMs ? n > otherN : ms > otherMs;
}
