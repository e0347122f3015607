/** Workers that wait to start, the oldest first. Pure, in memory. */

/** The position of a worker, from 1, among all that wait. */
export interface QueuePosition {
  position: number;
  length: number;
}

interface Entry {
  id: string;
  /** Milliseconds since 1970, by which the queue is ordered. */
  at: number;
  /** The position in its status. */
  reported: number;
}

export class StartQueue {
  /** Waiting workers, in order. */
  readonly #entries: Entry[] = [];
  readonly #byId = new Map<string, Entry>();

  get length(): number {
    return this.#entries.length;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  add(id: string, at: number): void {
    const entry = { id, at, reported: 0 };
    this.#byId.set(id, entry);
    this.#entries.splice(this.#indexOf(entry), 0, entry);
  }

  delete(id: string): void {
    const entry = this.#byId.get(id);
    if (!entry) return;
    this.#byId.delete(id);
    this.#entries.splice(this.#indexOf(entry), 1);
  }

  /** Removes the first `count`. */
  take(count: number): string[] {
    const admitted = this.#entries.splice(0, count);
    for (const { id } of admitted) this.#byId.delete(id);
    return admitted.map(({ id }) => id);
  }

  /** The position of a waiting worker, stored as the one in its status. */
  positionOf(id: string): QueuePosition {
    const entry = this.#byId.get(id);
    const position = entry ? this.#indexOf(entry) + 1 : 0;
    if (entry) entry.reported = position;
    return { position, length: this.#entries.length };
  }

  /**
   * At most `count` workers whose status has an outdated position: a position is updated when it has halved, and for
   * the first one. Updating every change would cost a write for each pair of workers.
   */
  moved(count: number): string[] {
    const found: string[] = [];
    for (const [index, { id, reported }] of this.#entries.entries()) {
      if (found.length >= count) break;
      const place = index + 1;
      if (reported > place && (place * 2 <= reported || place === 1)) found.push(id);
    }
    return found;
  }

  /** The index of the entry, or where it would be inserted. */
  #indexOf({ at, id }: Entry): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#entries[middle] as Entry;
      if (other.at < at || (other.at === at && other.id < id)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
