import type { Redis } from 'ioredis';
import type { Log } from '../log.ts';
import type { OutputEntry } from './entry.ts';
import { StreamIdGenerator } from './entry.ts';
import { BATCH_ENTRIES, IN_FLIGHT, PIECE_BYTES } from './limits.ts';
import type { OutputQueue } from './output-queue.ts';
import { OutputBound } from './stream-trim.ts';

const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 2000;

/** A Redis command as plain data, sent in one pipeline with an entry. */
export type ExtraCommand = [name: string, ...args: string[]];

/**
 * Sends entries to the output stream: immediately if no request is running, batched otherwise, in order, and
 * each exactly once. An entry keeps its ID until it is known not to be written, so Redis rejects a repeated
 * one, which then counts as arrived; this body is the only writer.
 *
 * One exception to the order: if Redis rejects one entry of a batch and accepts the next (it was full only
 * for a moment), the rejected one follows it. Nothing is lost, and `seq` has the order.
 */
export class OutputSender {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #log: Log;
  readonly #bound: OutputBound;
  readonly #ids = new StreamIdGenerator(Date.now);
  #output: OutputQueue | undefined;
  #inFlight = 0;
  #unsentInFlight = { lines: 0, bytes: 0 };
  #companions: ExtraCommand[] = [];
  #failed: OutputEntry[] = [];
  #failing = false;
  #reread = false;
  #backoff = BACKOFF_MIN_MS;
  #timer: NodeJS.Timeout | undefined;
  #loggedState = '';
  /** `seq` of the newest entry that Redis has. */
  seq: number;
  /** When Redis last accepted an entry, by performance.now(). */
  progressAt = performance.now();
  #waiting: { seq: number; resolve: () => void }[] = [];
  /** Called after each reply of Redis. */
  onProgress: () => void = () => {};

  constructor(options: { redis: Redis; key: string; log: Log; lastSeq: number; lastId: string | undefined }) {
    this.#redis = options.redis;
    this.#key = options.key;
    this.#log = options.log;
    this.#bound = new OutputBound(options.redis, options.key);
    this.seq = options.lastSeq;
    if (options.lastId) this.#ids.raise(options.lastId);
  }

  /** Redis cannot be reached, or does not accept entries. */
  get away(): boolean {
    return this.#failing || this.#redis.status !== 'ready';
  }

  /** Everything has arrived. */
  get idle(): boolean {
    return this.#inFlight === 0 && this.#failed.length === 0 && !this.#output?.waiting;
  }

  /** Settles when the entry with this number has arrived. */
  arrived(seq: number): Promise<void> {
    if (this.seq >= seq) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ seq, resolve }));
  }

  /** Entries that were sent and are not known to have arrived. */
  unsent(): { lines: number; bytes: number } {
    const sum = { ...this.#unsentInFlight };
    for (const entry of this.#failed) {
      sum.lines += entry.lines;
      sum.bytes += entry.bytes;
    }
    return sum;
  }

  /**
   * Starts sending. The first entry is sent with `companions` in one pipeline, until Redis has accepted them.
   */
  start(output: OutputQueue, extraCommands: ExtraCommand[]): void {
    this.#output = output;
    this.#companions = extraCommands;
    output.onEntry = () => this.#pump();
    this.#redis.on('ready', () => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#backoff = BACKOFF_MIN_MS;
      this.#pump();
      output.review();
    });
    this.#redis.on('close', () => output.review());
    this.#pump();
  }

  #pump(): void {
    const output = this.#output;
    while (output && this.#redis.status === 'ready' && this.#inFlight < IN_FLIGHT) {
      if (this.#failing && (this.#inFlight > 0 || this.#timer)) return;
      const again = this.#failed.splice(0, BATCH_ENTRIES);
      if (again.length === 0 && (this.#inFlight === 0 ? !output.waiting : !output.ample)) return;
      const entries = again.length > 0 ? again : output.take(PIECE_BYTES, BATCH_ENTRIES);
      if (entries.length === 0) return;
      void this.#send(entries);
    }
  }

  async #send(entries: OutputEntry[]): Promise<void> {
    this.#inFlight += 1;
    this.#tally(entries, 1);
    const extraCommands = this.#companions;
    this.#companions = [];
    const failed: OutputEntry[] = [];
    let why: Error | undefined;
    try {
      if (this.#reread) await this.#raiseIds();
      this.#bound.learn();
      const pipeline = this.#redis.pipeline();
      for (const entry of entries) {
        entry.id ??= this.#ids.next();
        pipeline.xadd(this.#key, 'MAXLEN', '~', this.#bound.maxlen(entry), entry.id, 'data', entry.data);
      }
      for (const [name, ...args] of extraCommands) pipeline.call(name, ...args);
      const results = (await pipeline.exec()) ?? [];
      entries.forEach((entry, at) => {
        const error = results[at]?.[0] ?? undefined;
        if (!error || this.#isThere(entry, error)) this.seq = Math.max(this.seq, entry.seq);
        else failed.push(this.#forRetry(entry, error));
        if (error) why = error;
      });
      if (results.slice(entries.length).some(([error]) => error)) this.#companions = extraCommands;
    } catch (error) {
      why = error instanceof Error ? error : new Error(String(error));
      for (const entry of entries) failed.push(this.#forRetry(entry, why));
      this.#companions = extraCommands;
    }
    this.#inFlight -= 1;
    this.#tally(entries, -1);
    this.#settle(failed, failed.length < entries.length, why);
  }

  /** Rejected because it, or a newer one, is in the stream; if it had been sent before, it has arrived. */
  #isThere(entry: OutputEntry, error: Error): boolean {
    return entry.tried === true && error.message.includes('equal or smaller than the target stream top item');
  }

  #forRetry(entry: OutputEntry, error: Error): OutputEntry {
    if (error.name !== 'ReplyError') entry.tried = entry.id !== undefined;
    else if (!entry.tried) {
      // Redis rejected it, so it gets a new ID; another writer's ID may be greater than ours.
      entry.id = undefined;
      this.#reread ||= error.message.includes('equal or smaller');
    }
    return entry;
  }

  async #raiseIds(): Promise<void> {
    const [newest] = await this.#redis.xrevrange(this.#key, '+', '-', 'COUNT', 1);
    if (newest) this.#ids.raise(newest[0]);
    this.#reread = false;
  }

  #settle(failed: OutputEntry[], some: boolean, why: Error | undefined): void {
    if (some) {
      this.progressAt = performance.now();
      this.onProgress();
      for (const { seq, resolve } of this.#waiting) if (seq <= this.seq) resolve();
      this.#waiting = this.#waiting.filter(({ seq }) => seq > this.seq);
    }
    if (failed.length > 0) {
      this.#failing = true;
      this.#failed = [...this.#failed, ...failed].sort((a, b) => a.seq - b.seq);
      this.#logState(why);
      // A connection that is open but silent is closed, so that it is reopened.
      if (why?.message === 'Command timed out' && this.#redis.status === 'ready')
        this.#redis.disconnect(true);
      this.#wait();
    } else if (this.#failing && this.#inFlight === 0 && this.#failed.length === 0) {
      this.#failing = false;
      this.#backoff = BACKOFF_MIN_MS;
      if (this.#loggedState) this.#log.info('resending output');
      this.#loggedState = '';
    }
    this.#pump();
    this.#output?.review();
  }

  #wait(): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pump();
    }, this.#backoff);
    this.#backoff = Math.min(this.#backoff * 2, BACKOFF_MAX_MS);
  }

  #logState(why: Error | undefined): void {
    const message = why?.message ?? 'no response';
    if (this.#loggedState === '')
      this.#log.warn('failed to send output; it is kept and resent', { error: message });
    this.#loggedState = message;
  }

  #tally(entries: OutputEntry[], sign: 1 | -1): void {
    for (const entry of entries) {
      this.#unsentInFlight.lines += sign * entry.lines;
      this.#unsentInFlight.bytes += sign * entry.bytes;
    }
  }
}
