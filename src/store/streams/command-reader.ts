import type { Redis } from 'ioredis';
import { ENTRY_LIMIT } from '../../model/index.ts';
import type { Link } from '../connect.ts';
import { COMMAND_GROUP } from '../keys.ts';

/** A constant consumer name, so that the next leader finds its pending entries. */
const CONSUMER = 'leader';
/** Approximate bytes of one read: a burst of long commands is read in batches. */
const READ_BYTES = 1024 ** 2;
/** Maximum bytes of a blocking read's reply before it is aborted; a valid entry is far shorter. */
const WAIT_BYTES = 2 * ENTRY_LIMIT;

export interface CommandEntry {
  id: string;
  /** The field `data`; `undefined` if the entry has none, or if it exceeds the limit. */
  data: string | undefined;
  /** Size of that field in bytes. */
  bytes: number;
  /** Number of deliveries; more than one after a crash. */
  deliveries: number;
  /** It is not on the stream: nothing is acknowledged, and its answer is returned to this process. */
  direct?: true;
}

type Reply = [id: string, text: string | null, bytes: number, deliveries: number];

/**
 * Reads a cell's command stream and never loads an entry longer than ENTRY_LIMIT, whose text stays in Redis.
 * A blocking read cannot avoid loading it, so it is aborted instead.
 */
export class CommandReader {
  readonly #redis: Link;
  readonly #blocking: Redis;
  readonly #commands: string;
  /** More entries may be available without waiting. */
  #more = true;
  /** Bytes of the pending reply. */
  #received = 0;
  #brokenOff = false;

  constructor(redis: Link, blocking: Redis, commands: string) {
    this.#redis = redis;
    this.#blocking = blocking;
    this.#commands = commands;
    blocking.on('connect', () => blocking.stream.on('data', (chunk: Buffer) => this.#measure(chunk.length)));
  }

  /**
   * Reads new entries; waits up to `blockMs` for one, or until the signal fires. An abandoned wait would
   * consume an entry.
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

  /** Claims an unacknowledged entry of any consumer that has been idle for at least `idleMs`. */
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

  /** The reply contains the next entry, so that a command is handled as soon as possible. */
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
      // It was delivered, so it is found among the unacknowledged entries.
      if (this.#brokenOff) return this.claim(0);
      throw error;
    }
  }

  #measure(bytes: number): void {
    this.#received += bytes;
    if (this.#received <= WAIT_BYTES || this.#brokenOff) return;
    this.#brokenOff = true;
    this.#blocking.disconnect();
    // A graceful close would still receive what is in flight.
    this.#blocking.stream.destroy();
  }
}

const toEntry = ([id, text, bytes, deliveries]: Reply): CommandEntry => ({
  id,
  data: text ?? undefined,
  bytes,
  deliveries,
});

/** For one stream: `[key, entries]`, with another array around it in RESP2. */
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
