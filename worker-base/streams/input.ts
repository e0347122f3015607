import type { ChainableCommander, Redis } from 'ioredis';
import { INPUT_GROUP } from '../../src/store/keys.ts';
import type { Log } from '../log.ts';
import { InputPosition } from './input-position.ts';
import { whenReady } from './redis-connection.ts';

/** One body reads at a time, so the consumer has a fixed name and the next incarnation finds what this one left. */
const CONSUMER = 'wrapper';
const BLOCK_MS = 5000;
const COUNT = 16;
const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 2000;

/** An entry as stored in the stream; `data` is undefined where the field is missing. */
export interface InputEntry {
  id: string;
  data: string | undefined;
}

/**
 * Reads the input stream through its group, first what was delivered and never acknowledged (to an incarnation before,
 * or by a reply that was lost), then what is new. An entry is acknowledged when it is dealt with; one that is
 * delivered again meanwhile is not handed over twice.
 */
export class InputReader {
  readonly #blocking: Redis;
  readonly #commands: Redis;
  readonly #key: string;
  readonly #log: Log;
  readonly #position: InputPosition;
  /** Called when an entry is dealt with. */
  onPassed: () => void = () => {};
  #drain = true;
  #stopped = false;

  /** `passed`: up to where an earlier body of the worker has dealt with all. */
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
    // Whatever a lost reply held is among the pending entries now.
    this.#blocking.on('close', () => {
      this.#drain = true;
    });
  }

  /** Hands over entries one after the other until it is stopped; never throws. */
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
        await pause(backoff);
        backoff = Math.min(backoff * 2, BACKOFF_MAX_MS);
      }
    }
  }

  /**
   * The entry is dealt with and will not be delivered again; tried until Redis knows, or reading has stopped. What
   * `also` adds is done in the same transaction.
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
        await pause(backoff);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  #take(entry: InputEntry, handle: (entry: InputEntry) => void): void {
    const what = this.#position.take(entry.id);
    if (what === 'new') handle(entry);
    // It was answered, and the group does not know.
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

  /** Up to where all entries are dealt with: where the next body begins if the group is lost. */
  get passed(): string | undefined {
    return this.#position.passed;
  }

  /** Makes the group that was lost, where it stood; in a stream that was lost with it, from the beginning. */
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

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
