import type { ChainableCommander, Redis } from 'ioredis';

/** Entries per round trip of a search. */
const CHUNK = 50;
const AGAIN_MS = 200;
/** The fields of the hash with the conversation: one per begun turn, with the `seq` of its `turn_started`. */
const TURN = 'turn:';
const HAD_TURNS = 'had_turns';

/** A turn that an earlier body began and that has not been committed. */
export interface BegunTurn {
  /** The prompt's entry of the input stream. */
  entryId: string;
  /** `seq` of its `turn_started`. */
  seq: number;
}

/** The same, after a search of the output. */
export interface CutTurn extends BegunTurn {
  /** The output has its end; only its commit was cut. */
  ended: boolean;
}

/**
 * Records in Redis which prompt's turn has begun, beside the conversation, so that the next body knows whether a pending
 * prompt has been worked on. The record is deleted in the transaction that acknowledges the prompt. A turn may begin before
 * the one before it is acknowledged, so each has a record of its own.
 */
export class TurnJournal {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #output: string;

  /** `key`: the hash with the conversation; `output`: the output stream. */
  constructor(options: { redis: Redis; key: string; output: string }) {
    this.#redis = options.redis;
    this.#key = options.key;
    this.#output = options.output;
  }

  /** Sent before the prompt is passed to the agent, and not awaited: the operating system delivers what was sent. */
  begin(entryId: string | undefined, seq: number): void {
    if (entryId === undefined) return;
    void this.#redis.hset(this.#key, { [TURN + entryId]: seq, [HAD_TURNS]: 1 }).catch(() => 0);
  }

  /** Adds the command that deletes the record of a turn. */
  end(transaction: ChainableCommander, entryId: string): void {
    transaction.hdel(this.#key, TURN + entryId);
  }

  /** Searches the output for the ends of the turns; retries while Redis is away. */
  async examine(begun: readonly BegunTurn[], signal: AbortSignal): Promise<CutTurn[]> {
    const cut: CutTurn[] = [];
    while (cut.length < begun.length && !signal.aborted) {
      const turn = begun[cut.length] as BegunTurn;
      try {
        cut.push({ ...turn, ended: await this.#hasEnd(turn) });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
    return cut;
  }

  async #hasEnd({ entryId, seq }: BegunTurn): Promise<boolean> {
    for (let before = '+'; ; ) {
      const entries = await this.#redis.xrevrange(this.#output, before, '-', 'COUNT', CHUNK);
      for (const [id, [, data]] of entries) {
        const entry = parse(data);
        if (Number(entry.seq) <= seq) return false;
        if (entry.entry_id === entryId && ['turn_completed', 'turn_failed'].includes(String(entry.type)))
          return true;
        before = `(${id}`;
      }
      if (entries.length < CHUNK) return false;
    }
  }
}

/** Whether any body of the worker has begun a turn. */
export const hadTurns = (fields: Record<string, Buffer>): boolean => fields[HAD_TURNS] !== undefined;

/** The valid records in the fields of the hash. */
export function readBegunTurns(fields: Record<string, Buffer>): BegunTurn[] {
  return Object.entries(fields).flatMap(([field, value]) => {
    const [, entryId] = /^turn:(\d{1,20}-\d{1,20})$/.exec(field) ?? [];
    const seq = Number(value.toString('latin1'));
    return entryId !== undefined && Number.isSafeInteger(seq) ? [{ entryId, seq }] : [];
  });
}

function parse(data: string | undefined): Record<string, unknown> {
  try {
    return JSON.parse(data ?? '') ?? {};
  } catch {
    return {};
  }
}
