interface Entry {
  key: string;
  due: number;
  index: number;
}

/**
 * Keys with the time at which each is due, the earliest first: a binary heap with the index of each key, so
 * that a key has one entry however often it is added, and no outdated entries remain.
 */
export class DelayedKeys {
  readonly #heap: Entry[] = [];
  readonly #byKey = new Map<string, Entry>();

  get size(): number {
    return this.#heap.length;
  }

  /** When the earliest key is due; `undefined` if there is none. */
  get earliest(): number | undefined {
    return this.#heap[0]?.due;
  }

  /** Adds a key, or moves it forward; a time later than its current one is ignored. */
  put(key: string, due: number): void {
    let entry = this.#byKey.get(key);
    if (entry === undefined) {
      entry = { key, due, index: this.#heap.length };
      this.#byKey.set(key, entry);
      this.#heap.push(entry);
    } else if (due < entry.due) {
      entry.due = due;
    } else {
      return;
    }
    this.#rise(entry);
  }

  /** Removes and returns the earliest key if it is due at `now`. */
  takeDue(now: number): string | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.due > now) return undefined;
    this.#byKey.delete(first.key);
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) {
      this.#place(last, 0);
      this.#sink(last);
    }
    return first.key;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#byKey.clear();
  }

  #place(entry: Entry, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }

  #rise(entry: Entry): void {
    while (entry.index > 0) {
      const at = entry.index;
      const parent = this.#heap[(at - 1) >> 1];
      if (parent === undefined || parent.due <= entry.due) return;
      this.#place(entry, parent.index);
      this.#place(parent, at);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const at = entry.index;
      const left = this.#heap[2 * at + 1];
      const right = this.#heap[2 * at + 2];
      const child = right !== undefined && left !== undefined && right.due < left.due ? right : left;
      if (child === undefined || child.due >= entry.due) return;
      this.#place(entry, child.index);
      this.#place(child, at);
    }
  }
}
