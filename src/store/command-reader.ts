import type { Redis } from 'ioredis';
import { ENTRY_LIMIT } from '../model/index.ts';
import type { Link } from './connect.ts';
import { COMMAND_GROUP } from './keys.ts';

/** One consumer: its pending entries are found again by the next leader. */
const CONSUMER = 'leader';
/** Bytes that one read brings, about: a burst of long commands is taken in pieces. */
const READ_BYTES = 1024 ** 2;
/** Bytes of a reply that a wait takes in before it is broken off: an entry that may be read is far shorter. */
const WAIT_BYTES = 2 * ENTRY_LIMIT;

export interface CommandEntry {
  id: string;
  /** The field `data`; `undefined` if the entry has none, or if it is too long to be read. */
  data: string | undefined;
  /** Bytes of that field. */
  bytes: number;
  /** How often it was delivered; more than once after a crash. */
  deliveries: number;
}

type Reply = [id: string, text: string | null, bytes: number, deliveries: number];

/**
 * Reads a cell's stream of commands and never takes in an entry that is longer than ENTRY_LIMIT: Redis keeps its text
 * back. A wait for the next entry has no such choice, and is broken off instead.
 */
export class CommandReader {
  readonly #redis: Link;
  readonly #blocking: Redis;
  readonly #commands: string;
  /** More may be there without waiting. */
  #more = true;
  /** Of the reply that is being waited for. */
  #received = 0;
  #brokenOff = false;

  constructor(redis: Link, blocking: Redis, commands: string) {
    this.#redis = redis;
    this.#blocking = blocking;
    this.#commands = commands;
    blocking.on('connect', () => blocking.stream.on('data', (chunk: Buffer) => this.#measure(chunk.length)));
  }

  /**
   * New entries, waiting for one up to `blockMs`, unless the signal fires: an abandoned wait would take an entry with
   * it.
   */
  async read(count: number, blockMs: number, signal?: AbortSignal): Promise<CommandEntry[]> {
    if (this.#more) {
      const entries = (await this.#redis.readCommands(
        this.#commands,
        COMMAND_GROUP,
        CONSUMER,
        count,
        ENTRY_LIMIT,
        READ_BYTES,
      )) as Reply[];
      this.#more = entries.length > 0;
      if (this.#more) return entries.map(toEntry);
    }
    if (signal?.aborted) return [];
    const entries = await this.#wait(blockMs);
    this.#more = entries.length > 0;
    return entries;
  }

  /** An entry that was delivered and not settled, of any consumer, idle for at least `idleMs`. */
  async claim(idleMs: number): Promise<CommandEntry[]> {
    let from = '0-0';
    do {
      const [next, entry] = (await this.#redis.claimCommand(
        this.#commands,
        COMMAND_GROUP,
        CONSUMER,
        idleMs,
        from,
        ENTRY_LIMIT,
      )) as [string, Reply | undefined];
      if (entry) return [toEntry(entry)];
      from = next;
    } while (from !== '0-0');
    return [];
  }

  /** The next entry comes with the answer, so that a command is settled as soon as it can be. */
  async #wait(blockMs: number): Promise<CommandEntry[]> {
    if (this.#brokenOff) await this.#blocking.connect();
    this.#brokenOff = false;
    this.#received = 0;
    try {
      const reply = await this.#blocking.call(
        'XREADGROUP',
        'GROUP',
        COMMAND_GROUP,
        CONSUMER,
        'COUNT',
        '1',
        'BLOCK',
        String(blockMs),
        'STREAMS',
        this.#commands,
        '>',
      );
      return toEntries(reply);
    } catch (error) {
      // It was delivered, and so is found among those that were not settled.
      if (this.#brokenOff) return this.claim(0);
      throw error;
    }
  }

  #measure(bytes: number): void {
    this.#received += bytes;
    if (this.#received <= WAIT_BYTES || this.#brokenOff) return;
    this.#brokenOff = true;
    this.#blocking.disconnect();
    // A polite end would still take in what is on its way.
    this.#blocking.stream.destroy();
  }
}

const toEntry = ([id, text, bytes, deliveries]: Reply): CommandEntry => ({
  id,
  data: text ?? undefined,
  bytes,
  deliveries,
});

/** One stream was asked for: `[key, entries]`, with another array around it in RESP2. */
function toEntries(reply: unknown): CommandEntry[] {
  if (!Array.isArray(reply) || reply.length === 0) return [];
  const list = (Array.isArray(reply[0]) ? reply[0][1] : reply[1]) as [string, string[] | null][];
  return list.map(([id, fields]) => {
    const at = (fields ?? []).findIndex((name, index) => index % 2 === 0 && name === 'data');
    const text = at < 0 ? undefined : fields?.[at + 1];
    const bytes = Buffer.byteLength(text ?? '');
    return { id, data: bytes > ENTRY_LIMIT ? undefined : text, bytes, deliveries: 1 };
  });
}
