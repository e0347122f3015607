/**
 * Reads growing streams for many readers through one blocking connection. A reader gets the stored entries first, and then
 * new ones in the order of the stream, without a gap between the two.
 *
 * Invariant: a reader that is slower than its stream holds a bounded number of entries; it reads the rest from Redis when it
 * has caught up.
 */
import type { Redis } from 'ioredis';
import { compareIds } from '../../model/messages/entry-id.ts';
import { connectBlocking, type Link } from '../connect.ts';
import { type Followed, FollowedStreams } from './followed-streams.ts';
import { unlessOver } from './stream.ts';
import { Listener, type StreamEntry } from './stream-listener.ts';

/** Entries of one stream per read. */
const PAGE = 100;
const LIVE_PAGE = 32;
/** How long a blocking read waits if it is not interrupted. */
const BLOCK_MS = 2000;
/** Pause after an error of Redis. */
const RETRY_MS = 500;
/** Pause before a read that had not begun is interrupted again. */
const UNBLOCK_MS = 5;

export class StreamHub {
  readonly #redis: Link;
  readonly #url: string;
  readonly #followed = new FollowedStreams();
  #reader: Redis | undefined;
  #running = false;
  /** Ends the wait for the next stream that is due. */
  #wake: (() => void) | undefined;
  #closed = false;
  /** Increases with each stream that is added; a read that began before does not include it. */
  #version = 0;
  #readVersion = 0;
  #interrupting = false;
  /** For CLIENT UNBLOCK; a new one with each connection. */
  #readerId: number | undefined;

  constructor(redis: Link, url: string) {
    this.#redis = redis;
    this.#url = url;
  }

  /**
   * Entries after `from` ('0' for all), in batches; with `follow`, also new ones until the signal fires. With `follow`, an
   * outage of Redis only delays it.
   */
  async *read(
    key: string,
    options: { from: string; follow: boolean; signal: AbortSignal },
  ): AsyncGenerator<StreamEntry[]> {
    const { follow, signal } = options;
    let last = options.from;
    while (!signal.aborted) {
      try {
        for await (const entries of this.#stored(key, last, signal)) {
          last = entries.at(-1)?.id ?? last;
          yield entries;
        }
        if (!follow) return;
        for await (const entries of this.#live(key, last, signal)) {
          const fresh = entries.filter(({ id }) => compareIds(id, last) > 0);
          last = fresh.at(-1)?.id ?? last;
          if (fresh.length > 0) yield fresh;
        }
      } catch (error) {
        if (!follow) throw error;
        await unlessOver(new Promise((resolve) => setTimeout(resolve, RETRY_MS)), signal);
      }
    }
  }

  /** The ID before the last `count` entries of a stream, 0 for the last ID; '0' if there are fewer. */
  async before(key: string, count: number): Promise<string> {
    const last = await this.#redis.xrevrange(key, '+', '-', 'COUNT', count + 1);
    return last.length > count ? (last.at(-1)?.[0] ?? '0') : '0';
  }

  async *#stored(key: string, from: string, signal: AbortSignal): AsyncGenerator<StreamEntry[]> {
    let last = from;
    for (;;) {
      const start = last === '0' ? '-' : `(${last}`;
      const found = await unlessOver(this.#redis.xrange(key, start, '+', 'COUNT', PAGE), signal);
      if (!found || found.length === 0) return;
      const entries = found.map(toStreamEntry);
      last = entries.at(-1)?.id ?? last;
      yield entries;
    }
  }

  /** New entries; ends if its reader is too slow, or when the signal fires. */
  async *#live(key: string, from: string, signal: AbortSignal): AsyncGenerator<StreamEntry[]> {
    const listener = new Listener();
    const followed = this.#join(key, from, listener);
    const over = () => listener.end();
    signal.addEventListener('abort', over, { once: true });
    try {
      // Others have already been sent entries that this reader does not have.
      if (followed.from !== from) for await (const entries of this.#stored(key, from, signal)) yield entries;
      while (!signal.aborted) {
        const entries = await listener.next();
        if (!entries) return;
        yield entries;
      }
    } finally {
      signal.removeEventListener('abort', over);
      this.#followed.remove(key, listener);
    }
  }

  #join(key: string, from: string, listener: Listener): Followed {
    const known = this.#followed.get(key);
    if (known) {
      known.listeners.add(listener);
      return known;
    }
    const followed = this.#followed.add(key, from === '0' ? '0-0' : from, listener);
    this.#version += 1;
    this.#wake?.();
    if (this.#running) void this.#interrupt();
    else void this.#run();
    return { ...followed, from };
  }

  async #run(): Promise<void> {
    this.#running = true;
    this.#reader ??= this.#connect();
    while (this.#followed.size > 0 && !this.#closed) {
      const { keys, ids, waitMs } = this.#followed.due();
      this.#readVersion = this.#version;
      if (keys.length === 0) {
        await this.#sleep(waitMs);
        continue;
      }
      try {
        const found = await this.#reader.xread(
          'COUNT',
          LIVE_PAGE,
          'BLOCK',
          Math.ceil(Math.min(BLOCK_MS, waitMs)),
          'STREAMS',
          ...keys,
          ...ids,
        );
        for (const [key, entries] of found ?? [])
          this.#followed.deliver(key, entries.map(toStreamEntry), entries.length >= LIVE_PAGE);
        // The readers send what they have got before the next read takes time.
        if (found) await new Promise(setImmediate);
      } catch (error) {
        const dropped = String(error).includes('WRONGTYPE') && (await this.#dropOthers(keys));
        if (!dropped && !this.#closed) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    this.#running = false;
  }

  /** One key that is not a stream would fail the reads of all; its readers find out by their own reads. */
  async #dropOthers(keys: string[]): Promise<boolean> {
    let dropped = false;
    for (const key of keys) {
      const type = await this.#redis.type(key).catch(() => 'none');
      if (type === 'stream' || type === 'none') continue;
      this.#followed.drop(key);
      dropped = true;
    }
    return dropped;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends the current blocking read, so that the next one includes a new stream immediately. */
  async #interrupt(): Promise<void> {
    if (this.#interrupting) return;
    this.#interrupting = true;
    try {
      while (this.#readVersion < this.#version && this.#running && !this.#closed) {
        // It may not have begun yet.
        if (this.#readerId !== undefined) await this.#redis.client('UNBLOCK', this.#readerId);
        await new Promise((resolve) => setTimeout(resolve, UNBLOCK_MS));
      }
    } catch {
      // Without the permission for CLIENT, the stream is included after BLOCK_MS.
    } finally {
      this.#interrupting = false;
    }
  }

  #connect(): Redis {
    const reader = connectBlocking(this.#url);
    reader.on('error', () => {});
    reader.on('ready', () => {
      reader.client('ID').then(
        (id) => {
          this.#readerId = id;
        },
        () => {},
      );
    });
    reader.on('close', () => {
      this.#readerId = undefined;
    });
    return reader;
  }

  /** Ends all readers. */
  close(): void {
    this.#closed = true;
    this.#reader?.disconnect();
    this.#followed.endAll();
    this.#wake?.();
  }
}

const toStreamEntry = ([id, fields]: [string, string[]]): StreamEntry => ({
  id,
  data: fields[fields.indexOf('data') + 1] ?? '',
});
