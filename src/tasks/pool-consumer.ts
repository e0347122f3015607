/**
 * Takes tasks and settles them: BullMQ's worker loop, made for handlers in processes of their own.
 *
 * BullMQ's Worker knows no timeout, no cancelling from elsewhere, no fairness and no give-back, so the loop is ours; each
 * step in Redis is BullMQ's own. What must hold: no more attempts than slots; a task that is held is renewed until it is
 * settled or lost; a paused worker holds nothing that it has not begun.
 */
import type { IQueueBackend } from 'bullmq';
import { messageOf } from '../model/fault.ts';
import { TASK_KEEP_SECONDS } from '../model/task-limits.ts';
import { instant } from '../model/units.ts';
import type { Outcome } from './attempt.ts';
import { openBackend } from './backend.ts';
import { connectWorker, type TaskLink } from './connect.ts';
import type { ActiveTask, ConsumerSettings, ConsumerTotals, TaskConsumer } from './consumer.ts';
import { Fetcher, PAUSE_AFTER_TROUBLE_MS } from './fetcher.ts';
import { attemptOf, type Held, taskOf, toHeld } from './held.ts';
import type { Next } from './job.ts';
import { Keeper } from './keeper.ts';
import { isRefusal, mend } from './mend.ts';
import { type Place, placeOf } from './place.ts';
import { Progress } from './progress.ts';
import { renew } from './renew.ts';
import { Ledger, type Written } from './settle.ts';
import { END_GRACE_SECONDS, Slots } from './slots.ts';
import { Totals } from './totals.ts';
import { within } from './within.ts';

/** How long a worker that ends waits for Redis to take its results; the locks tell the rest. */
const LAST_WORDS_MS = 5000;
/** A worker that is silent for so long has lost its tasks. */
const LOCK_SECONDS = 15;

class PoolConsumer implements TaskConsumer {
  readonly #settings: ConsumerSettings;
  readonly #place: Place;
  readonly #redis: TaskLink;
  readonly #backend: IQueueBackend;
  readonly #ledger: Ledger;
  readonly #keeper: Keeper;
  readonly #progress: Progress;
  readonly #fetcher: Fetcher;
  readonly #slots: Slots;
  readonly #held = new Map<string, Held>();
  readonly #totals: Totals;
  #state: 'idle' | 'taking' | 'draining' | 'closed' = 'idle';
  #paused = false;
  /** Of those held: their attempt is over, and Redis is being told. They take no slot. */
  #settling = 0;
  #empty: (() => void)[] = [];
  #unheld: (() => void)[] = [];

  constructor(given: ConsumerSettings) {
    const settings = { lockSeconds: LOCK_SECONDS, keepSeconds: TASK_KEEP_SECONDS, ...given };
    const { redisUrl, cell, pool, workerId, incarnation, lockSeconds, keepSeconds } = settings;
    this.#settings = settings;
    const place = placeOf(cell, pool);
    this.#place = place;
    const redis = connectWorker(redisUrl);
    this.#redis = redis;
    const backend = openBackend(redis, place, pool, {
      name: workerId,
      lockMs: Math.ceil(lockSeconds * 1000),
      stalledCheckMs: Math.ceil((lockSeconds * 1000) / 3),
    });
    this.#backend = backend;
    const trouble = (message: string, fields: Record<string, unknown>) =>
      settings.onTrouble?.(message, { pool, ...fields });
    this.#totals = new Totals(trouble);
    for (const from of [redis, backend]) {
      from.on('error', (error: unknown) => trouble('Redis connection lost', { error: messageOf(error) }));
    }
    this.#ledger = new Ledger(backend, redis, place, keepSeconds, async (held) => {
      const [told] = await renew(redis, place, settings, Math.ceil(lockSeconds * 1000), [held]);
      return told !== 'lost';
    });
    this.#progress = new Progress(redis, place);
    const keeping = { redis, backend, place, settings, held: this.#held, trouble };
    this.#keeper = new Keeper({ ...keeping, mend: (force) => this.#mend(force) });
    this.#slots = new Slots({
      settings,
      progress: this.#progress,
      ended: (held, outcome) => void this.#settle(held, outcome),
      freed: () => this.#fetcher.fill(),
      giveBack: (held) => void this.#giveBack(held),
    });
    this.#fetcher = new Fetcher({
      ...{ redis, backend, place, workerId, incarnation, trouble },
      wants: () => this.#wants(),
      closed: () => this.#state === 'closed',
      begin: (next, token) => this.#begin(next, token),
      looked: () => this.#looked(),
      refused: (error) => this.#refused(error),
    });
  }

  async start(): Promise<void> {
    if (this.#state !== 'idle') return;
    this.#state = 'taking';
    await this.#backend.waitUntilReady();
    await this.#keeper.start();
    this.#fetcher.fill();
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
    this.#slots.returnAhead();
  }

  resume(): void {
    this.#paused = false;
    this.#fetcher.fill();
  }

  active(): ActiveTask[] {
    return [...this.#held.values()].flatMap((held) => {
      if (!held.attempt) return [];
      const started_at = instant(held.attempt.startedAt);
      return { task_id: taskOf(held), attempt: attemptOf(held), started_at };
    });
  }

  totals(): ConsumerTotals {
    return { ...this.#totals.read(), seconds: this.#slots.seconds };
  }

  async drain(): Promise<void> {
    if (this.#state !== 'closed') this.#state = 'draining';
    this.#slots.returnAhead();
    while (this.#held.size > 0) await new Promise<void>((resolve) => this.#unheld.push(resolve));
    // What Redis was asked for and does not answer is not waited for without end: it may be away.
    await within(this.#nothingHeld(), LAST_WORDS_MS);
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'draining';
    this.#slots.returnAhead();
    const attempts = [...this.#held.values()].flatMap(({ attempt }) => attempt ?? []);
    for (const attempt of attempts) attempt.abort('ending', 'Its worker is shutting down.');
    const { endGraceSeconds = END_GRACE_SECONDS } = this.#settings;
    await within(Promise.all(attempts.map(({ settled }) => settled)), endGraceSeconds * 1000);
    await within(this.#nothingHeld(), LAST_WORDS_MS);
    this.#state = 'closed';
    await this.#keeper.stop();
    // The wait that ends here may have taken the sign for a task that is another's now.
    if (this.#redis.status === 'ready')
      await this.#redis.zadd(this.#place.key('marker'), 0, '0').catch(() => {});
    await this.#backend.close(true).catch(() => {});
    this.#redis.disconnect();
  }

  #open(): boolean {
    return this.#state === 'taking' && !this.#paused;
  }

  #wants(): boolean {
    return this.#open() && this.#held.size - this.#settling + this.#fetcher.asked < this.#slots.capacity();
  }

  #begin(next: Next, token: string): void {
    const held = toHeld(next, token);
    this.#held.set(held.jobId, held);
    if (this.#open()) this.#slots.take(held);
    else void this.#giveBack(held);
  }

  async #giveBack(held: Held): Promise<void> {
    await this.#insist(held, async () => {
      await this.#ledger.giveBack(held);
      return undefined;
    });
    this.#let(held);
  }

  async #settle(held: Held, outcome: Outcome): Promise<void> {
    await this.#progress.last(held);
    this.#settling += 1;
    const fetch = this.#wants();
    if (fetch) {
      this.#fetcher.asked += 1;
      this.#fetcher.turn();
    }
    const written = await this.#insist(held, () => this.#ledger.settle(held, outcome, fetch));
    const [settled, next]: Written = written ?? ['fenced'];
    this.#settling -= 1;
    if (fetch) this.#fetcher.asked -= 1;
    this.#totals.count(held, settled, outcome);
    this.#forget(held);
    if (next) this.#begin(next, held.token);
    this.#let(held);
  }

  /** Tries until Redis does it; a worker that has closed leaves it to the lock. */
  async #insist<T>(held: Held, act: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (this.#state === 'closed') return undefined;
        const fields = { pool: this.#settings.pool, task_id: taskOf(held), error: messageOf(error) };
        this.#settings.onTrouble?.('failed to save task result; retrying', fields);
        await this.#refused(error);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_TROUBLE_MS));
      }
    }
  }

  async #refused(error: unknown): Promise<void> {
    // While Redis is away or full it mends nothing either; the next attempt fails and logs that.
    if (isRefusal(error)) await this.#mend(true).catch(() => {});
  }

  async #mend(force: boolean): Promise<void> {
    this.#totals.putAside(await mend(this.#redis, this.#place, force));
  }

  /** The task may have come back to this same worker meanwhile: that is another one. */
  #forget(held: Held): void {
    if (this.#held.get(held.jobId) === held) this.#held.delete(held.jobId);
  }

  /** A task is off this worker's hands. */
  #let(held: Held): void {
    this.#forget(held);
    this.#looked();
    this.#fetcher.fill();
  }

  #looked(): void {
    if (this.#held.size === 0) for (const resolve of this.#unheld.splice(0)) resolve();
    if (this.#held.size + this.#fetcher.asked > 0) return;
    for (const resolve of this.#empty.splice(0)) resolve();
  }

  #nothingHeld(): Promise<void> {
    if (this.#held.size + this.#fetcher.asked === 0) return Promise.resolve();
    return new Promise((resolve) => this.#empty.push(resolve));
  }
}

/** A consumer of a pool's queue; it takes nothing before `start`. */
export function openConsumer(settings: ConsumerSettings): TaskConsumer {
  return new PoolConsumer(settings);
}
