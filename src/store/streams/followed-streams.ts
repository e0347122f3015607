/** The streams that are followed: how far each was read, by whom, and when it is read next. */
import type { Listener, StreamEntry } from './stream-listener.ts';

/**
 * What many follow is collected for this time per reader, up to the longest: each read of it costs a write for each reader. What
 * few follow is sent at once, and so is what comes after a silence.
 */
const COLLECT_MS = 1;
const LONGEST_COLLECT_MS = 100;
const FEW_READERS = 4;

export interface Followed {
  /** The ID of the last entry that its listeners have. */
  from: string;
  listeners: Set<Listener>;
  /** It is not read before this time, in milliseconds of `performance.now()`. */
  notBefore: number;
}

export class FollowedStreams {
  readonly #streams = new Map<string, Followed>();

  get size(): number {
    return this.#streams.size;
  }

  get(key: string): Followed | undefined {
    return this.#streams.get(key);
  }

  add(key: string, from: string, listener: Listener): Followed {
    const followed = { from, listeners: new Set([listener]), notBefore: 0 };
    this.#streams.set(key, followed);
    return followed;
  }

  remove(key: string, listener: Listener): void {
    const followed = this.#streams.get(key);
    followed?.listeners.delete(listener);
    if (followed?.listeners.size === 0) this.#streams.delete(key);
  }

  /** Ends its listeners. */
  drop(key: string): void {
    for (const listener of this.#streams.get(key)?.listeners ?? []) listener.end();
    this.#streams.delete(key);
  }

  endAll(): void {
    for (const { listeners } of this.#streams.values()) for (const listener of listeners) listener.end();
  }

  /** The streams to read now, and the milliseconds until the next of the others. */
  due(now = performance.now()): { keys: string[]; ids: string[]; waitMs: number } {
    const [keys, ids]: [string[], string[]] = [[], []];
    let waitMs = Number.POSITIVE_INFINITY;
    for (const [key, { from, notBefore }] of this.#streams) {
      if (notBefore > now) waitMs = Math.min(waitMs, notBefore - now);
      else {
        keys.push(key);
        ids.push(from);
      }
    }
    return { keys, ids, waitMs };
  }

  /** New entries of a stream; `isMore`: there are others that can be read at once. */
  deliver(key: string, entries: StreamEntry[], isMore: boolean, now = performance.now()): void {
    const followed = this.#streams.get(key);
    if (!followed) return;
    followed.from = entries.at(-1)?.id ?? followed.from;
    const { size } = followed.listeners;
    const collects = size > FEW_READERS && !isMore;
    followed.notBefore = collects ? now + Math.min(size * COLLECT_MS, LONGEST_COLLECT_MS) : 0;
    for (const listener of followed.listeners) listener.push(entries);
  }
}
