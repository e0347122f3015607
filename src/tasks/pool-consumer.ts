/**
 * Takes tasks and settles them: BullMQ's worker loop, made for handlers in processes of their own.
 *
 * BullMQ's Worker knows no timeout, no cancelling from elsewhere, no fairness and no give-back, so the loop is ours; each
 * step in Redis is BullMQ's own. What must hold: no more attempts than slots; a task that is held is renewed until it is
 * settled or lost; a paused worker holds nothing that it has not begun.
 */
import { createRedisBackend, type RedisQueueBackend } from 'bullmq';
import { messageOf } from '../model/fault.ts';
import { TASK_KEEP_SECONDS, TASK_TIMEOUT_SECONDS } from '../model/task-limits.ts';
import { instant } from '../model/units.ts';
import { Attempt, type Outcome } from './attempt.ts';
import { connectWorker, type TaskLink } from './connect.ts';
import type { ActiveTask, ConsumerSettings, ConsumerTotals, TaskConsumer } from './consumer.ts';
import { attemptOf, type Held, toHeld, toRunning } from './held.ts';
import { Keeper } from './keeper.ts';
import { LOSS_LIMIT, placeOf, tokenOf } from './place.ts';
import { Progress } from './progress.ts';
import { deferred, Ledger, type Next, nextOf, type Settled, taskOf, type Written } from './settle.ts';

/** One take in so many is the task that has waited longest, whatever its class: no class starves. */
const FAIR_SHARE = 8;
/** A blocked wait for work ends by itself after so long, in seconds, and looks. */
const WAIT_SECONDS = 5;
/** How long a worker that ends waits for Redis to take its results; the locks tell the rest. */
const LAST_WORDS_MS = 5000;
/** After an error of Redis. */
const PAUSE_AFTER_TROUBLE_MS = 500;
/** Tasks are fetched ahead of their slot only while attempts take less than this on average … */
const SHORT_MS = 5;
/** … which it is not before the first, nor after one that made others wait … */
const LONG_MS = 50;
/** … so many a slot … */
const AHEAD = 2;
/** … and go back to the queue when they have waited for so long. */
const PATIENCE_MS = 25;

class PoolConsumer implements TaskConsumer {
  readonly #settings: ConsumerSettings;
  readonly #redis: TaskLink;
  readonly #backend: RedisQueueBackend;
  readonly #ledger: Ledger;
  readonly #keeper: Keeper;
  readonly #progress: Progress;
  readonly #prioritized: string;
  readonly #marker: string;
  readonly #held = new Map<string, Held>();
  /** Held without a slot, in the order of their take. */
  readonly #ahead: Held[] = [];
  readonly #totals: ConsumerTotals = { completed: 0, failed: 0, retried: 0, fenced: 0, seconds: 0 };
  #state: 'idle' | 'taking' | 'draining' | 'closed' = 'idle';
  #paused = false;
  #free: number;
  #takes = 0;
  /** Requests under way that may bring a task. */
  #asked = 0;
  #filling: Promise<void> | undefined;
  /** Of those held: their attempt is over, and Redis is being told. They take no slot. */
  #settling = 0;
  /** Slots whose task has failed already, while their runner still does not end. */
  #stuck = 0;
  #averageMs = LONG_MS;
  #empty: (() => void)[] = [];

  constructor(settings: ConsumerSettings) {
    const { redisUrl, cell, pool, workerId, lockSeconds = 15, keepSeconds = TASK_KEEP_SECONDS } = settings;
    this.#settings = settings;
    this.#free = settings.concurrency;
    const place = placeOf(cell, pool);
    this.#prioritized = place.key('prioritized');
    this.#marker = place.key('marker');
    this.#redis = connectWorker(redisUrl);
    this.#redis.on('error', (error) => this.#trouble('Redis is away', { error: messageOf(error) }));
    const options = {
      connection: this.#redis,
      prefix: place.prefix,
      name: workerId,
      lockDuration: Math.ceil(lockSeconds * 1000),
      stalledInterval: Math.ceil((lockSeconds * 1000) / 3),
      maxStalledCount: LOSS_LIMIT,
    };
    this.#backend = createRedisBackend(pool, options as Parameters<typeof createRedisBackend>[1], {
      withBlockingConnection: true,
    });
    this.#backend.on('error', (error: unknown) =>
      this.#trouble('Redis is away', { error: messageOf(error) }),
    );
    this.#ledger = new Ledger(this.#backend, this.#redis, place, keepSeconds);
    this.#progress = new Progress(this.#redis, place);
    this.#keeper = new Keeper({
      redis: this.#redis,
      backend: this.#backend,
      place,
      settings: { ...settings, lockSeconds, keepSeconds },
      held: this.#held,
      trouble: (message, fields) => this.#trouble(message, fields),
    });
  }

  async start(): Promise<void> {
    if (this.#state !== 'idle') return;
    this.#state = 'taking';
    await this.#backend.waitUntilReady();
    await this.#keeper.start();
    this.#fill();
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
    this.#returnAhead();
  }

  resume(): void {
    this.#paused = false;
    this.#fill();
  }

  active(): ActiveTask[] {
    const active: ActiveTask[] = [];
    for (const held of this.#held.values()) {
      if (!held.attempt) continue;
      const { startedAt } = held.attempt;
      active.push({ task_id: taskOf(held), attempt: attemptOf(held), started_at: instant(startedAt) });
    }
    return active;
  }

  totals(): ConsumerTotals {
    return { ...this.#totals };
  }

  async drain(): Promise<void> {
    if (this.#state !== 'closed') this.#state = 'draining';
    this.#returnAhead();
    await this.#nothingHeld();
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'draining';
    this.#returnAhead();
    const attempts = [...this.#held.values()].flatMap(({ attempt }) => attempt ?? []);
    for (const attempt of attempts) attempt.abort('ending', 'Its worker ends.');
    await Promise.all(attempts.map(({ settled }) => settled));
    await this.#nothingHeld(LAST_WORDS_MS);
    this.#state = 'closed';
    await this.#keeper.stop();
    // The wait that ends here may have taken the sign for a task that is another's now.
    if (this.#redis.status === 'ready') await this.#redis.zadd(this.#marker, 0, '0').catch(() => {});
    await this.#backend.close(true).catch(() => {});
    this.#redis.disconnect();
  }

  /** Settles after `ms` in any case, where that is given. */
  #nothingHeld(ms?: number): Promise<void> {
    if (this.#held.size + this.#asked === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const clock = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.#empty.push(() => {
        clearTimeout(clock);
        resolve();
      });
    });
  }

  #capacity(): number {
    const slots = this.#settings.concurrency - this.#stuck;
    return this.#averageMs < SHORT_MS ? slots * (1 + AHEAD) : slots;
  }

  #wants(): boolean {
    return this.#open() && this.#held.size - this.#settling + this.#asked < this.#capacity();
  }

  #open(): boolean {
    return this.#state === 'taking' && !this.#paused;
  }

  /** Fetches until nothing more is wanted; one at a time, for the queue hands out in order. */
  #fill(): void {
    this.#filling ??= this.#fetch().finally(() => {
      this.#filling = undefined;
      this.#looked();
      // What was let go after the last look, and before this one, asked in vain.
      if (this.#wants()) this.#fill();
    });
  }

  async #fetch(): Promise<void> {
    const { workerId, incarnation } = this.#settings;
    while (this.#wants()) {
      const token = tokenOf(workerId, incarnation, this.#turn());
      this.#asked += 1;
      let until: number | undefined;
      try {
        const reply = await this.#backend.moveToActive(token, workerId);
        const next = nextOf(reply);
        if (next) {
          this.#begin(next, token);
          continue;
        }
        until = Number(reply[3] ?? 0);
      } catch (error) {
        this.#trouble('A task could not be fetched', { error: messageOf(error) });
      } finally {
        this.#asked -= 1;
        this.#looked();
      }
      if (until === undefined) await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_TROUBLE_MS));
      else if (this.#wants()) await this.#wait(until);
    }
  }

  /** Blocks until there may be work. Who wakes and does not want it any more wakes another one. */
  async #wait(delayedUntil: number): Promise<void> {
    const seconds = delayedUntil > 0 ? (delayedUntil - Date.now()) / 1000 : WAIT_SECONDS;
    if (seconds <= 0) return;
    try {
      const least = this.#backend.minimumBlockTimeout;
      const woken = await this.#backend.waitForJob(Math.max(least, Math.min(seconds, WAIT_SECONDS)));
      if (woken && !this.#wants() && this.#state !== 'closed') await this.#redis.zadd(this.#marker, 0, '0');
    } catch (error) {
      if (this.#state === 'closed') return;
      this.#trouble('The wait for tasks failed', { error: messageOf(error) });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_TROUBLE_MS));
    }
  }

  /** Before each take. It goes ahead on the same connection, so the take that follows sees it. */
  #turn(): number {
    this.#takes += 1;
    if (this.#takes % FAIR_SHARE === 0) this.#redis.taskLongest(this.#prioritized).catch(() => {});
    return this.#takes;
  }

  #begin({ job, jobId }: Next, token: string): void {
    const held = toHeld(job, jobId, token);
    this.#held.set(jobId, held);
    const failure = deferred(held);
    if (failure) return void this.#settle(held, { kind: 'failed', failure, retry: false });
    if (this.#open() && this.#free > 0) return void this.#run(held);
    this.#ahead.push(held);
    if (this.#open()) held.patience = setTimeout(() => this.#returnAhead(), PATIENCE_MS);
    else this.#returnAhead();
  }

  async #run(held: Held): Promise<void> {
    const { run, timeoutSeconds = TASK_TIMEOUT_SECONDS, endGraceSeconds = 30 } = this.#settings;
    this.#free -= 1;
    const attempt = new Attempt();
    held.attempt = attempt;
    const began = performance.now();
    const say = this.#progress.of(held);
    const outcome = attempt.run(toRunning(held, timeoutSeconds), run, say, endGraceSeconds * 1000);
    let over = false;
    void attempt.settled.then(() => {
      over = true;
      const ms = performance.now() - began;
      this.#totals.seconds += ms / 1000;
      this.#averageMs = this.#averageMs * 0.9 + ms * 0.1;
      this.#free += 1;
      this.#nextAhead();
    });
    const result = await outcome;
    if (!over) this.#unstick(attempt);
    this.#settle(held, result);
  }

  #unstick(attempt: Attempt): void {
    this.#stuck += 1;
    void attempt.settled.then(() => {
      this.#stuck -= 1;
      this.#fill();
    });
  }

  #nextAhead(): void {
    const held = this.#ahead.shift();
    if (!held) return;
    clearTimeout(held.patience);
    void this.#run(held);
  }

  /** What waits for a slot goes back: others may have one. */
  #returnAhead(): void {
    if (this.#ahead.length > 0) this.#averageMs = Math.max(this.#averageMs, LONG_MS);
    for (const held of this.#ahead.splice(0)) {
      clearTimeout(held.patience);
      this.#ledger
        .giveBack(held)
        .catch((error) => this.#trouble('A task could not be given back', { error: messageOf(error) }))
        .finally(() => this.#let(held));
    }
  }

  async #settle(held: Held, outcome: Outcome): Promise<void> {
    await this.#progress.last(held);
    this.#settling += 1;
    const fetch = this.#wants();
    if (fetch) {
      this.#asked += 1;
      this.#turn();
    }
    const [settled, next] = await this.#written(held, outcome, fetch);
    this.#settling -= 1;
    if (fetch) this.#asked -= 1;
    this.#count(held, settled);
    if (this.#held.get(held.jobId) === held) this.#held.delete(held.jobId);
    if (next) this.#begin(next, held.token);
    this.#let(held);
  }

  /** Tries until Redis takes it, or the task is another's. */
  async #written(held: Held, outcome: Outcome, fetch: boolean): Promise<Written> {
    for (;;) {
      try {
        return await this.#ledger.settle(held, outcome, fetch);
      } catch (error) {
        if (this.#state === 'closed') return ['fenced'];
        this.#trouble('A result could not be written; trying again', {
          task_id: taskOf(held),
          error: messageOf(error),
        });
        await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_TROUBLE_MS));
      }
    }
  }

  #count(held: Held, settled: Settled): void {
    if (settled !== 'returned') this.#totals[settled] += 1;
    if (settled === 'fenced') {
      this.#trouble("A result was refused, for the task is no longer this worker's", {
        task_id: taskOf(held),
        attempt: attemptOf(held),
      });
    }
  }

  /** A task is off this worker's hands. */
  #let(held: Held): void {
    if (this.#held.get(held.jobId) === held) this.#held.delete(held.jobId);
    this.#looked();
    this.#fill();
  }

  #looked(): void {
    if (this.#held.size + this.#asked > 0) return;
    for (const resolve of this.#empty.splice(0)) resolve();
  }

  #trouble(message: string, fields: Record<string, unknown>): void {
    this.#settings.onTrouble?.(message, { pool: this.#settings.pool, ...fields });
  }
}

/** A consumer of a pool's queue; it takes nothing before `start`. */
export function openConsumer(settings: ConsumerSettings): TaskConsumer {
  return new PoolConsumer(settings);
}
