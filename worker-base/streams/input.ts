import { setTimeout as delay } from 'node:timers/promises';
import type { ChainableCommander, Redis } from 'ioredis';
import { INPUT_GROUP } from '../../src/store/keys.ts';
import type { Log } from '../log.ts';
import { InputPosition } from './input-position.ts';
import { whenReady } from './redis-connection.ts';

/**
 * One body reads at a time, so the consumer has a fixed name and the next incarnation finds the pending
 * entries of this one.
 */
const CONSUMER = 'wrapper';
const BLOCK_MS = 5000;
const COUNT = 16;
const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 2000;

/** An entry as stored in the stream; `data` is undefined if the field is missing. */
export interface InputEntry {
  id: string;
  data: string | undefined;
}

/**
 * Reads the input stream through its group: first entries that were delivered and never acknowledged (to an
 * earlier incarnation, or in a lost reply), then new ones. An entry is acknowledged when it is handled; one
 * that is delivered again meanwhile is not passed on twice.
 */
export class InputReader {
  readonly #blocking: Redis;
  readonly #commands: Redis;
  readonly #key: string;
  readonly #log: Log;
  readonly #position: InputPosition;
  /** Called when an entry is handled. */
  onPassed: () => void = () => {};
  #drain = true;
  #stopped = false;

  /** `passed`: the ID up to which an earlier body of the worker has handled all entries. */
  constructor(options: {
    blocking: Redis;
    commands: Redis;
    key: string;
    log: Log;
    passed?: string | undefined;
  }) {
    this.#position = new InputPosition(options.passed);
    this.#blocking = options.blocking;
    this.#commands = options.commands;
    this.#key = options.key;
    this.#log = options.log;
    // The entries of a lost reply are pending now.
    this.#blocking.on('close', () => {
      this.#drain = true;
    });
  }

  /** Passes on entries one after the other until it is stopped; never throws. */
  async run(handle: (entry: InputEntry) => void): Promise<void> {
    let cursor = '0';
    for (let backoff = BACKOFF_MIN_MS; !this.#stopped; ) {
      try {
        await whenReady(this.#blocking);
        if (this.#drain) {
          this.#drain = false;
          cursor = '0';
        }
        const entries = await this.#read(cursor);
        backoff = BACKOFF_MIN_MS;
        for (const entry of entries) if (!this.#stopped) this.#take(entry, handle);
        const last = entries.at(-1);
        if (cursor !== '>') cursor = last ? last.id : '>';
      } catch (error) {
        if (this.#stopped) return;
        this.#drain = true;
        const message = error instanceof Error ? error.message : String(error);
        if (/^(NOGROUP|UNBLOCKED)/.test(message)) {
          if (await this.#makeGroup()) continue;
        } else if (this.#blocking.status === 'ready') {
          this.#log.warn('failed to read input; retrying', { error: message });
        }
        await delay(backoff);
        backoff = Math.min(backoff * 2, BACKOFF_MAX_MS);
      }
    }
  }

  /**
   * Acknowledges a handled entry, so that it is not delivered again; retries until it is stored or reading
   * has stopped. The commands that `also` adds run in the same transaction.
   */
  async acknowledge(id: string, also?: (transaction: ChainableCommander) => void): Promise<void> {
    for (let backoff = BACKOFF_MIN_MS; ; backoff = Math.min(backoff * 2, BACKOFF_MAX_MS)) {
      try {
        if (also) {
          const transaction = this.#commands.multi();
          also(transaction);
          const results = await transaction.xack(this.#key, INPUT_GROUP, id).exec();
          const error = results?.find(([failed]) => failed)?.[0];
          if (error) throw error;
        } else {
          await this.#commands.xack(this.#key, INPUT_GROUP, id);
        }
        this.#position.finish(id);
        this.onPassed();
        return;
      } catch {
        if (this.#stopped) return;
        await delay(backoff);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  #take(entry: InputEntry, handle: (entry: InputEntry) => void): void {
    const what = this.#position.take(entry.id);
    if (what === 'new') handle(entry);
    // It was handled, but the group has lost that.
    else if (what === 'done') void this.acknowledge(entry.id);
  }

  async #read(cursor: string): Promise<InputEntry[]> {
    const reply = (await this.#blocking.xreadgroup(
      'GROUP',
      INPUT_GROUP,
      CONSUMER,
      'COUNT',
      COUNT,
      'BLOCK',
      BLOCK_MS,
      'STREAMS',
      this.#key,
      cursor,
    )) as [string, [string, string[] | null][]][] | null;
    return (reply?.[0]?.[1] ?? []).map(([id, fields]) => {
      const at = fields?.findIndex((text, index) => index % 2 === 0 && text === 'data') ?? -1;
      return { id, data: at < 0 ? undefined : fields?.[at + 1] };
    });
  }

  /** The ID up to which all entries are handled, and where the next body starts if the group is lost. */
  get passed(): string | undefined {
    return this.#position.passed;
  }

  /** Recreates a lost group at its position, or at the beginning if the stream was lost as well. */
  async #makeGroup(): Promise<boolean> {
    try {
      const from = this.#position.passed ?? '0';
      await this.#commands.xgroup('CREATE', this.#key, INPUT_GROUP, from, 'MKSTREAM');
      const info = (await this.#commands.xinfo('STREAM', this.#key)) as unknown[];
      const lastId = String(info[info.indexOf('last-generated-id') + 1]);
      if (!this.#position.isOf(lastId)) {
        this.#position.forget();
        await this.#commands.xgroup('SETID', this.#key, INPUT_GROUP, '0');
      }
      return true;
    } catch (error) {
      return error instanceof Error && error.message.startsWith('BUSYGROUP');
    }
  }
}
