/** The messages of webhooks: those that are not delivered yet, and the last deliveries. */
import {
  type PendingWebhook,
  parseInstant,
  pendingWebhook,
  type WebhookDelivery,
  webhookDelivery,
} from '../model/index.ts';
import type { Link } from './connect.ts';
import type { Keys } from './keys.ts';
import { parse } from './parse.ts';

/** Approximate number of deliveries that are kept for people after they have ended. */
const ENDED_KEPT = 1000;
/** Messages that are read in one round trip. */
const CHUNK = 200;

export class WebhookStore {
  readonly #redis: Link;
  readonly #keys: Keys;

  constructor(redis: Link, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Number of messages that are not delivered. */
  count(): Promise<number> {
    return this.#redis.hlen(this.#keys.webhooks);
  }

  /** Their deliveries. */
  ids(): Promise<string[]> {
    return this.#redis.hkeys(this.#keys.webhooks);
  }

  /** `undefined` if it has ended, or if it cannot be parsed; then it is removed. */
  async read(id: string): Promise<PendingWebhook | undefined> {
    return (await this.#readChunk([id])).get(id);
  }

  /** Reads many in pieces, so that nothing else waits long. */
  async *readAll(ids: readonly string[]): AsyncGenerator<[string, PendingWebhook]> {
    for (let at = 0; at < ids.length; at += CHUNK) yield* await this.#readChunk(ids.slice(at, at + CHUNK));
  }

  /** Stores the next attempt of a delivery. */
  async retry(id: string, next: PendingWebhook): Promise<void> {
    await this.#settle(id, JSON.stringify(next), '');
  }

  /** Ends a delivery. Returns false if it had ended before. */
  async end(id: string, pending: PendingWebhook, state: 'delivered' | 'failed'): Promise<boolean> {
    return (await this.#settle(id, '', JSON.stringify(toDelivery(pending, state)))) === 1;
  }

  /** The last deliveries, the newest message first: those that wait, and those that have ended. */
  async list(limit: number): Promise<WebhookDelivery[]> {
    const { webhooksEnded } = this.#keys;
    const entries = await this.#redis.xrevrange(webhooksEnded, '+', '-', 'COUNT', ENDED_KEPT);
    const ended = entries.flatMap(([, fields]) => {
      const read = webhookDelivery.safeParse(parse(fields[1] ?? ''));
      return read.success ? [read.data] : [];
    });
    const waiting: WebhookDelivery[] = [];
    for await (const [, pending] of this.readAll(await this.ids()))
      waiting.push(toDelivery(pending, 'pending'));
    const at = ({ created_at }: WebhookDelivery) => parseInstant(created_at) ?? 0;
    return [...waiting, ...ended].sort((a, b) => at(b) - at(a)).slice(0, limit);
  }

  async #readChunk(ids: string[]): Promise<Map<string, PendingWebhook>> {
    const texts = await this.#redis.hmget(this.#keys.webhooks, ...ids);
    const found = new Map<string, PendingWebhook>();
    for (const [at, id] of ids.entries()) {
      const text = texts[at];
      if (typeof text !== 'string') continue;
      const read = pendingWebhook.safeParse(parse(text));
      if (read.success) found.set(id, read.data);
      else await this.#redis.hdel(this.#keys.webhooks, id);
    }
    return found;
  }

  #settle(id: string, next: string, ended: string): Promise<unknown> {
    const { webhooks, webhooksEnded } = this.#keys;
    return this.#redis.settleWebhook(webhooks, webhooksEnded, id, next, ended, ENDED_KEPT);
  }
}

function toDelivery(pending: PendingWebhook, state: WebhookDelivery['state']): WebhookDelivery {
  const { setting: _, target: __, body: ___, ...shown } = pending;
  return { ...shown, state };
}
