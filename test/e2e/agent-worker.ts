/** One worker with a real agent, as an orchestrator sees it: through Redis only. */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { vi } from 'vitest';
import type { OutputMessage } from '../../src/model/messages/message.ts';
import { INPUT_GROUP, type Keys } from '../../src/store/keys.ts';
import { PATIENCE } from '../support/patience.ts';

/** Building a first image takes about a minute, and two may be built at once. */
export const BUILD_MS = 300_000;
/** Timeout of a test step; Droid waits several seconds before it retries a model. */
export const LONGEST_MS = 60_000;

/** One entry of the output, or of the history. */
export type Entry = OutputMessage;
type History = Record<string, unknown>;

/** A turn that has ended. */
export interface TurnEntries {
  end: Entry;
  /** All events about it, including its end. */
  entries: Entry[];
}

/** One worker, as an orchestrator sees it. */
export class AgentWorker {
  readonly id: string;
  /** The output so far, as far as it was waited for. */
  readonly entries: Entry[] = [];
  readonly history: History[] = [];
  readonly #keys: Keys;
  readonly #redis: Redis;
  readonly #managers: () => string;
  #last = '0';
  #lastEvent = '0';

  constructor(id: string, keys: Keys, redisUrl: string, managers: () => string) {
    this.id = id;
    this.#keys = keys;
    this.#redis = new Redis(redisUrl);
    this.#managers = managers;
  }

  close(): void {
    this.#redis.disconnect();
  }

  /** Puts a message on the input stream. */
  async send(message: object): Promise<void> {
    await this.#redis.xadd(this.#keys.input(this.id), '*', 'data', JSON.stringify(message));
  }

  /** Sends a prompt; returns its `request_id`. */
  async prompt(content: string, more: object = {}): Promise<string> {
    const request_id = randomUUID();
    await this.send({ type: 'prompt', content, request_id, ...more });
    return request_id;
  }

  /** A prompt and the end of its turn. */
  async turn(content: string, more: object = {}): Promise<TurnEntries> {
    return this.end(await this.prompt(content, more));
  }

  /**
   * When all prompts that have ended are acknowledged, and so the conversation is stored: it survives the body from then on, which is
   * a moment after the end of a turn is in the output.
   */
  async committed(): Promise<void> {
    await vi.waitFor(async () => {
      const [pending] = await this.#redis.xpending(this.#keys.input(this.id), INPUT_GROUP);
      if (pending !== 0) throw new Error(`${pending} prompts are not acknowledged.`);
    }, PATIENCE);
  }

  /** The end of a turn. */
  async end(requestId: string): Promise<TurnEntries> {
    const mine = ({ request_id }: Entry) => request_id === requestId;
    const end = await this.told((entry) => mine(entry) && /^turn_(completed|failed)$/.test(entry.type));
    return { end, entries: this.entries.filter(mine) };
  }

  /** The first entry that fits, from the beginning of the output. */
  told(fits: (entry: Entry) => boolean, ms?: number): Promise<Entry> {
    return this.#first(this.entries, fits, ms);
  }

  /** When its incarnation is RUNNING; the first may have to wait for an image. */
  async running(incarnation = 1): Promise<void> {
    const fits = (event: History) => event.incarnation === incarnation && event.status === 'RUNNING';
    const over = (event: History) => event.status === 'FAILED';
    const event = await this.event((it) => fits(it) || over(it), BUILD_MS);
    if (!fits(event)) throw new Error(`The worker failed: ${JSON.stringify(event)}`);
  }

  /** The first event of its history that fits. */
  event(fits: (event: History) => boolean, ms?: number): Promise<History> {
    return this.#first(this.history, fits, ms);
  }

  async #first<T>(seen: T[], fits: (one: T) => boolean, ms = LONGEST_MS): Promise<T> {
    const until = performance.now() + ms;
    for (let at = 0; ; at += 1) {
      while (at >= seen.length) {
        if (performance.now() > until) throw new Error(this.#account(ms));
        await this.#read();
      }
      const one = seen[at];
      if (one !== undefined && fits(one)) return one;
    }
  }

  async #read(): Promise<void> {
    const [output, events] = [this.#keys.output(this.id), this.#keys.events(this.id)];
    const streams = [output, events, this.#last, this.#lastEvent] as const;
    const reply = await this.#redis.xread('COUNT', 1000, 'BLOCK', 1000, 'STREAMS', ...streams);
    for (const [stream, entries] of reply ?? []) {
      const own = entries.map(([, [, data]]) => JSON.parse(data ?? ''));
      const last = entries.at(-1)?.[0] ?? '0';
      if (stream === output) {
        this.#last = last;
        this.entries.push(...own);
      } else {
        this.#lastEvent = last;
        this.history.push(...own);
      }
    }
  }

  #account(ms: number): string {
    const lines = (list: object[]) => list.slice(-15).map((one) => JSON.stringify(one).slice(0, 400));
    return [
      `What was waited for did not come within ${ms} ms.`,
      'Output:',
      ...lines(this.entries),
      'History:',
      ...lines(this.history),
      'Managers:',
      this.#managers().slice(-4000),
    ].join('\n');
  }
}
