import type { Redis } from 'ioredis';
import { OUTPUT_BYTES, OUTPUT_MAXLEN, OUTPUT_MINLEN } from './limits.ts';

/**
 * The maximum number of entries in the output stream, from the sizes of the newest ones, because Redis limits
 * a stream only by the number of entries. Entries of earlier bodies are read from Redis, and count with their
 * mean size.
 */
export class OutputBound {
  readonly #redis: Redis;
  readonly #key: string;
  /** Sizes of the newest entries, the oldest first; those before `#from` will be trimmed. */
  #sizes: number[] = [];
  #from = 0;
  #sum = 0;
  /** Whether older entries than these were trimmed, so that all earlier ones must be trimmed as well. */
  #full = false;
  #seq = 0;
  #requested = false;

  constructor(redis: Redis, key: string) {
    this.#redis = redis;
    this.#key = key;
  }

  /** The MAXLEN with which to send an entry. A repeated entry counts once. */
  maxlen({ seq, data }: { seq: number; data: string }): number {
    if (seq > this.#seq) {
      this.#seq = seq;
      this.#add(Buffer.byteLength(data));
    }
    return this.#full ? this.#sizes.length - this.#from : OUTPUT_MAXLEN;
  }

  /**
   * Reads the existing entries before the first one is sent, on the same connection; retries if the
   * connection breaks.
   */
  learn(): void {
    if (this.#requested) return;
    this.#requested = true;
    const [own, ownBytes] = [this.#sizes.length - this.#from, this.#sum];
    const pipeline = this.#redis
      .pipeline()
      .xlen(this.#key)
      .call('MEMORY', 'USAGE', this.#key, 'SAMPLES', '0');
    pipeline.exec().then(
      (replies) => {
        const failed = replies?.find(([error]) => error)?.[0];
        // Without the permission to read it, only entries of this body count.
        if (failed) this.#requested = failed.name === 'ReplyError';
        else this.#prepend(Number(replies?.[0]?.[1]) - own, Number(replies?.[1]?.[1]) - ownBytes);
      },
      () => {
        this.#requested = false;
      },
    );
  }

  #prepend(count: number, bytes: number): void {
    if (!(count > 0 && bytes > 0)) return;
    const own = this.#sizes.slice(this.#from);
    this.#sizes = [];
    this.#from = 0;
    this.#sum = 0;
    for (let at = 0; at < count; at += 1) this.#add(bytes / count);
    for (const size of own) this.#add(size);
  }

  #add(size: number): void {
    this.#sizes.push(size);
    this.#sum += size;
    let count = this.#sizes.length - this.#from;
    while (count > OUTPUT_MAXLEN || (count > OUTPUT_MINLEN && this.#sum > OUTPUT_BYTES)) {
      this.#sum -= this.#sizes[this.#from] ?? 0;
      this.#from += 1;
      this.#full = true;
      count -= 1;
    }
    // Not at each entry, because that would copy them all each time.
    if (this.#from >= OUTPUT_MAXLEN) {
      this.#sizes = this.#sizes.slice(this.#from);
      this.#from = 0;
    }
  }
}
