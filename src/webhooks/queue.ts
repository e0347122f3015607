/**
 * The queue of webhooks: creates the messages for a decision, and delivers what waits in the store while this manager
 * leads. The store has the messages; this has only their IDs, so that a queue of thousands is cheap.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import {
  computeDigest,
  type Decision,
  errorMessage,
  formatInstant,
  type Observation,
  type PendingWebhook,
  parseInstant,
  type WorkerRecord,
} from '../model/index.ts';
import { redactUrl, toOrigin } from '../telemetry/redact.ts';
import { WEBHOOK_SOURCES, type WebhookSource } from '../telemetry/webhook-metrics.ts';
import { sendOnce, withAttempt } from './attempt.ts';
import { Lane, retryMs } from './lane.ts';
import { createMessage, findWebhookType } from './message.ts';
import type { WebhooksOptions } from './options.ts';
import { Sender } from './send.ts';
import { createTargetReader } from './target.ts';
import { WaitingDeliveries } from './waiting.ts';

/** Messages that may wait for a URL of WEBHOOK_URLS, for one URL of workers, and for all of these. */
export const WAITING = { setting: 10_000, worker: 1000, workers: 10_000 } as const;
/** Attempts to URLs of workers at the same time; those of WEBHOOK_URLS have their own limits, so they never wait for these. */
const WORKERS_AT_ONCE = 32;
/** How often the store is compared with what is known here, in milliseconds. */
const SWEEP_MS = 30_000;
/** Wait after an error of the store, in milliseconds. */
const STORE_RETRY_MS = 1000;

/** Messages by delivery, as `Store.record` stores them with the decision that they report. */
export type NewWebhooks = Record<string, PendingWebhook>;

export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #urls: ReadonlyMap<string, string>;
  readonly #lanes = new Map<string, Lane>();
  readonly #known = new WaitingDeliveries();
  readonly #readTarget: ReturnType<typeof createTargetReader>;
  readonly #workersLimit = pLimit(WORKERS_AT_ONCE);
  #dropping = false;
  /** Set while this manager leads. */
  #open: ((lane: Lane, name: string) => void) | undefined;

  constructor(options: WebhooksOptions) {
    this.#options = options;
    this.#urls = new Map(options.settings.webhookUrls.map((url) => [computeDigest({ url }), url]));
    const { webhookSecret: keys, webhookAllowPrivate: allowPrivate } = options.settings;
    this.#readTarget = createTargetReader({ urls: this.#urls, keys, allowPrivate, secrets: options.secrets });
  }

  /** Number of messages that are not delivered. */
  get waiting(): number {
    return this.#known.size;
  }

  /** How many of them wait for URLs of the operator and of workers, and the age of the oldest; 0 if none waits. */
  pending(): { source: WebhookSource; count: number; oldestSeconds: number }[] {
    const now = this.#options.now();
    return WEBHOOK_SOURCES.map((source) => {
      const age = now - (this.#known.oldest(source) ?? now);
      return { source, count: this.#known.count(source), oldestSeconds: Math.max(0, age) / 1000 };
    });
  }

  /** The messages that report a decision; `undefined` if there are none. Drops those for which too many wait. */
  create({ revision }: WorkerRecord, observation: Observation, decision: Decision): NewWebhooks | undefined {
    const { webhooks = [] } = observation.desired.spec;
    if (this.#urls.size === 0 && webhooks.length === 0) return undefined;
    const type = findWebhookType(observation.status, decision.status);
    if (type === undefined) return undefined;
    const { cell, settings } = this.#options;
    const message = createMessage(type, cell, revision + 1, observation, decision);
    const created: NewWebhooks = {};
    const add = (to: Pick<PendingWebhook, 'url' | 'setting' | 'target'>, at: number) => {
      const pending = { ...message, ...to };
      if (this.#hasRoom(pending)) created[`${message.message_id}.${at}`] = pending;
      else this.#drop(pending);
    };
    if (settings.webhookTypes.includes(type))
      for (const [setting, url] of this.#urls)
        add({ url: toOrigin(url), setting }, Object.keys(created).length);
    for (const [at, { url, secret, types }] of webhooks.entries())
      if (types?.includes(type) ?? true)
        add({ url: redactUrl(url), target: { url, secret } }, this.#urls.size + at);
    return created;
  }

  /** The messages were stored. */
  stored(created: NewWebhooks): void {
    for (const [id, pending] of Object.entries(created)) this.#add(id, pending);
  }

  /** Delivers until the signal fires. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const sender = new Sender();
    const running = new Set<Promise<void>>();
    this.#open = (lane, name) => {
      const deliver = (id: string) => this.#deliver(id, lane, sender, signal);
      const limit = this.#urls.has(name) ? undefined : this.#workersLimit;
      const run = lane.run((id) => (limit ? limit(() => deliver(id)) : deliver(id)), signal);
      running.add(run);
      void run.then(() => running.delete(run));
    };
    while (!signal.aborted) {
      const swept = await this.#sweep().catch((error) => {
        this.#options.log.debug({ why: errorMessage(error) }, 'failed to read webhooks; retrying');
        return false;
      });
      await delay(swept ? SWEEP_MS : STORE_RETRY_MS, undefined, { signal }).catch(() => {});
    }
    this.#open = undefined;
    for (const { queue } of this.#lanes.values()) queue.shutDown();
    await Promise.all(running);
    // The next leader reads the store.
    this.#lanes.clear();
    this.#known.clear();
    sender.close();
  }

  /** Finds messages whose storing was not confirmed, or that an earlier manager left, and those that are too old. */
  async #sweep(): Promise<true> {
    const { store, now, settings } = this.#options;
    if ((await store.count()) !== this.#known.size) {
      const before = this.#known.ids;
      const ids = await store.ids();
      const stored = new Set(ids);
      for (const id of before) if (!stored.has(id)) this.#remove(id);
      const missing = ids.filter((id) => !this.#known.has(id));
      for await (const [id, pending] of store.readAll(missing)) this.#add(id, pending);
    }
    const oldest = now() - settings.webhookGiveUpSeconds * 1000;
    const expired = this.#known.createdBefore(oldest);
    for await (const [id, pending] of store.readAll(expired)) await this.#end(id, pending, 'failed');
    return true;
  }

  #add(id: string, pending: PendingWebhook): void {
    const open = this.#open;
    if (!open || this.#known.has(id)) return;
    const name = toLane(pending);
    let lane = this.#lanes.get(name);
    if (!lane) {
      lane = new Lane();
      this.#lanes.set(name, lane);
      open(lane, name);
    }
    const source = toSource(pending);
    this.#known.add(id, { lane: name, source, since: parseInstant(pending.created_at) ?? 0 });
    lane.size += 1;
    lane.queue.addAfter(id, (parseInstant(pending.next_attempt_at) ?? 0) - this.#options.now());
  }

  /** It has ended. */
  #remove(id: string): void {
    const known = this.#known.remove(id);
    const lane = known && this.#lanes.get(known.lane);
    if (!lane) return;
    lane.size -= 1;
    // A worker's URL is rarely used again. The handler of this delivery may be the one that runs.
    if (lane.size === 0 && known.source === 'worker') {
      this.#lanes.delete(known.lane);
      lane.queue.shutDown();
    }
    if (this.#known.size === 0) this.#dropping = false;
  }

  #hasRoom(pending: PendingWebhook): boolean {
    const size = this.#lanes.get(toLane(pending))?.size ?? 0;
    if (!pending.target) return size < WAITING.setting;
    return size < WAITING.worker && this.#known.count('worker') < WAITING.workers;
  }

  #drop(pending: PendingWebhook): void {
    const { url, type, worker_id } = pending;
    this.#options.metrics.webhooksEnded.inc(1, { source: toSource(pending), result: 'dropped' });
    if (!this.#dropping)
      this.#options.log.error({ url, type, worker_id }, 'webhook dropped: too many wait; dropping more');
    this.#dropping = true;
  }

  async #deliver(id: string, lane: Lane, sender: Sender, signal: AbortSignal): Promise<void> {
    try {
      const pending = await this.#options.store.read(id);
      if (!pending) return this.#remove(id);
      await this.#attempt(id, pending, lane, sender, signal);
    } catch (error) {
      // The store is away; the message stays in it.
      this.#options.log.debug({ why: errorMessage(error) }, 'failed to read webhooks; retrying');
      lane.queue.addAfter(id, STORE_RETRY_MS);
    }
  }

  async #attempt(
    id: string,
    pending: PendingWebhook,
    lane: Lane,
    sender: Sender,
    signal: AbortSignal,
  ): Promise<void> {
    const { settings, version, now, metrics, store, log } = this.#options;
    const began = performance.now();
    const target = await this.#readTarget(pending);
    const timeoutMs = settings.webhookTimeoutSeconds * 1000;
    const result = await sendOnce(pending, target, sender, { version, timeoutMs, now, signal });
    // The next leader sends it again.
    if (signal.aborted && result.error !== undefined) return;
    const delivered = result.error === undefined;
    metrics.webhookAttempts.observe((performance.now() - began) / 1000, {
      result: delivered ? 'ok' : 'error',
    });
    const pause = lane.note(result.away, result.pauseMs);
    const tried = withAttempt(pending, result, now());
    if (delivered) return this.#end(id, tried, 'delivered');
    const age = now() - (parseInstant(pending.created_at) ?? 0);
    if (result.gone || age >= settings.webhookGiveUpSeconds * 1000) return this.#end(id, tried, 'failed');
    const wait = Math.max(retryMs(tried.attempts), pause);
    const { url, type, worker_id } = pending;
    log.debug(
      { url, type, worker_id, attempts: tried.attempts, why: result.error },
      'webhook attempt failed; retrying',
    );
    await store.retry(id, { ...tried, next_attempt_at: formatInstant(now() + wait) });
    lane.queue.addAfter(id, wait);
  }

  async #end(id: string, pending: PendingWebhook, state: 'delivered' | 'failed'): Promise<void> {
    const { store, metrics, log } = this.#options;
    const { url, type, worker_id, attempts, error } = pending;
    if (await store.end(id, pending, state)) {
      metrics.webhooksEnded.inc(1, { source: toSource(pending), result: state });
      if (state === 'failed') log.warn({ url, type, worker_id, attempts, why: error }, 'webhook given up');
    }
    this.#remove(id);
  }
}

const toSource = ({ target }: PendingWebhook): WebhookSource => (target ? 'worker' : 'setting');

/** Messages to the same URL with the same key share a lane. */
const toLane = ({ setting, target }: PendingWebhook): string =>
  setting ?? (target ? `${target.secret} ${target.url}` : '');
