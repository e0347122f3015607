import type { Redis } from 'ioredis';
import { OUTPUT_BYTES, OUTPUT_MAXLEN, OUTPUT_MINLEN } from './limits.ts';

/**
 * How many entries the output stream may have, by the sizes of its newest. Redis bounds a stream by their number alone.
 * What former bodies of the worker have left there is asked of Redis, and counts with its mean.
 */
export class OutputBound {
  readonly #redis: Redis;
  readonly #key: string;
  /** Of the newest entries, the oldest first; those before `#from` are bound to be trimmed. */
  #sizes: number[] = [];
  #from = 0;
  #sum = 0;
  /** Whether older entries than these had to go: what stands before them in the stream has to go as well. */
  #full = false;
  #seq = 0;
  #requested = false;

  constructor(redis: Redis, key: string) {
    this.#redis = redis;
    this.#key = key;
  }

  /** The MAXLEN with which to send an entry. One that is sent again counts once. */
  maxlen({ seq, data }: { seq: number; data: string }): number {
    if (seq > this.#seq) {
      this.#seq = seq;
      this.#add(Buffer.byteLength(data));
    }
    return this.#full ? this.#sizes.length - this.#from : OUTPUT_MAXLEN;
  }

  /** Before the first entry is sent, on the same connection: asks what stands there. Asked again where the link broke. */
  learn(): void {
    if (this.#requested) return;
    this.#requested = true;
    const [own, ownBytes] = [this.#sizes.length - this.#from, this.#sum];
    const asked = this.#redis.pipeline().xlen(this.#key).call('MEMORY', 'USAGE', this.#key, 'SAMPLES', '0');
    asked.exec().then(
      (replies) => {
        const failed = replies?.find(([error]) => error)?.[0];
        // Where it may not be asked, only what this body sends counts.
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
    // Not at each entry: that would copy them all each time.
    if (this.#from >= OUTPUT_MAXLEN) {
      this.#sizes = this.#sizes.slice(this.#from);
      this.#from = 0;
    }
  }
}
