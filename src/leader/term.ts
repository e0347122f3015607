/**
 * One term of leadership, from winning the lease to its end: recover, then read commands, reconcile workers
 * and resync periodically. It ends when its signal fires, and throws if it cannot continue: another manager
 * leads (`Fenced`), or the store has changed (`StoreLost`). Its end never affects bodies.
 */
import { errorMessage, type LifecycleEvent, type RuntimeName } from '../model/index.ts';
import { PoolLoop } from '../pools/loop.ts';
import { WarmPool } from '../pools/warm/warm-pool.ts';
import { steadyClock } from '../queue/clock.ts';
import { toActionError } from '../reconcile/act.ts';
import { Admission } from '../reconcile/admission/admission.ts';
import { resolveBodyImage } from '../reconcile/body-image.ts';
import { Loop } from '../reconcile/loop.ts';
import { Fenced } from '../store/index.ts';
import { Adoption } from './adoption.ts';
import { Census } from './census.ts';
import { HealthMonitor, type UsageTotal } from './health-monitor.ts';
import { createLoopListeners } from './loop-listeners.ts';
import { createPoolContext } from './pool-deps.ts';
import { probeNode } from './probe-node.ts';
import { Resync } from './resync.ts';
import { Rounds } from './rounds.ts';
import { consumeForTerm } from './term-commands.ts';
import type { TermOptions } from './term-options.ts';
import { recoverForTerm } from './term-recovery.ts';

/** How soon free memory is noticed, and how old a position in the start queue may be. */
const TICK_MS = 1000;

export class Term {
  readonly epoch: number;
  readonly loop: Loop;
  readonly pools: PoolLoop;
  readonly #options: TermOptions;
  readonly #mayAct: () => boolean;
  readonly #end = new AbortController();
  readonly #rounds: Rounds;
  readonly #monitor: HealthMonitor;
  readonly #warmPool: WarmPool;
  readonly #admission: Admission;
  readonly #census: Census;
  #resync: Resync | undefined;
  #adoption: Adoption | undefined;
  readonly #began: number;

  constructor(epoch: number, mayAct: () => boolean, options: TermOptions) {
    this.epoch = epoch;
    this.#options = options;
    this.#mayAct = mayAct;
    const { store, runtimes, log, limits, now, cell, bodyRedisUrl, metrics, concurrency } = options;
    this.#began = now();
    this.#warmPool = new WarmPool({
      info: (name) => runtimes.states.find((state) => state.name === name)?.info,
      imageOf: (spec) => resolveBodyImage(spec, options.images),
    });
    this.#census = new Census(options.most_workers);
    this.#admission = new Admission({
      ...options.starts,
      now: steadyClock.now,
      wallClock: now,
      wake: (id) => this.loop.queue.add(id),
    });
    this.loop = new Loop({
      context: {
        store,
        runtimes,
        log,
        limits,
        now,
        cell,
        bodyRedisUrl,
        epoch,
        mayAct,
        toActionError,
        images: options.images,
        secrets: options.secrets,
        handlersDir: options.handlersDir,
        vitals: (bodyId) => this.#monitor.vitals(bodyId),
        startAdmission: this.#admission,
        crashPoint: options.crashPoint,
        webhooks: options.webhooks,
        leadingSince: this.#began,
        actionErrors: new Map(),
      },
      metrics,
      concurrency,
      fenced: () => this.#end.abort(new Fenced()),
      ...createLoopListeners({
        pools: () => this.pools,
        adoption: () => this.#adoption,
        warmPool: this.#warmPool,
        admission: this.#admission,
        census: this.#census,
        options,
      }),
    });
    this.pools = new PoolLoop({
      context: {
        ...createPoolContext(options),
        epoch,
        mayAct,
        leadingSince: this.#began,
        room: () => this.#census.room,
        counted: this.#census,
        changed: (id) => this.loop.queue.add(id),
      },
      findings: options.findings,
      reindex: () => options.store.repair.reindex(epoch),
      fenced: () => this.#end.abort(new Fenced()),
    });
    this.#monitor = new HealthMonitor({
      store,
      runtimes,
      log,
      limits,
      now,
      probeNode,
      loop: this.loop,
      interval_ms: options.check_ms,
      monotonic: steadyClock.monotonic,
    });
    this.#rounds = new Rounds({
      log,
      resync_ms: options.resync_ms,
      check_ms: options.check_ms,
      resync: () => this.#observeAll(this.#resync as Resync),
      check: () => this.#monitor.run(),
      fatal: (error) => this.#end.abort(error),
    });
  }

  /** Workers that wait to start, by runtime. */
  get queued(): [RuntimeName, number][] {
    return this.#admission.waiting();
  }

  /** Starts no more bodies; ends are still recorded. Resolves when starts that were under way are over. */
  holdStarts(): Promise<void> {
    this.#admission.close();
    return this.loop.queue.settled();
  }

  /** The usage of workers at the last check, summed. */
  get usage(): UsageTotal[] {
    return this.#monitor.usage();
  }

  /** A worker may have changed; without an ID, any worker. */
  enqueue(workerId: string | undefined): void {
    if (workerId) this.loop.queue.add(workerId);
    else this.#rounds.request();
  }

  /** A build has started, progressed or ended: workers that wait for an image are enqueued. */
  imagesChanged(): void {
    for (const id of this.loop.lastSeen.inPhase('building')) this.loop.queue.add(id);
  }

  /** A runtime has become available or unavailable: its workers are enqueued to report that. */
  runtimeChanged(name: RuntimeName): void {
    for (const id of this.loop.lastSeen.livingOn(name)) this.loop.queue.add(id);
    this.enqueue(undefined);
  }

  /** Seconds since the last activity of the loop: a reconcile or a resync. */
  quietSeconds(): number {
    const look = (this.#options.now() - (this.#resync?.lastAt || this.#began)) / 1000;
    return Math.max(look, this.loop.quietSeconds());
  }

  /** Number of bodies that the removal breaker protects from removal; 0 while it is closed. */
  get heldBack(): number {
    return this.#resync?.heldBack ?? 0;
  }

  async run(outer: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([outer, this.#end.signal]);
    const { store, runtimes, log, metrics, now, ownership, findings } = this.#options;
    const identity = await recoverForTerm(this.#options, this.epoch);
    const adopted = (id: string, event: LifecycleEvent) => {
      metrics.adopted.inc(1);
      void store
        .emit(id, event)
        .catch((error) => log.warn({ worker_id: id, why: errorMessage(error) }, 'failed to write history'));
    };
    this.#census.begin(await store.summaries());
    const waiting = Object.keys(await store.index());
    this.#adoption = new Adoption(waiting, log, adopted, () => this.#admission.open());
    const { limits, grace_ms, breaker_share } = this.#options;
    this.#resync = new Resync({
      store,
      runtimes,
      metrics,
      log,
      identity,
      now,
      grace_ms,
      breaker_share,
      ownership,
      findings,
      loop: this.loop,
      mayAct: this.#mayAct,
      epoch: this.epoch,
      heartbeat_silent_ms: limits.heartbeat_silent_ms,
    });
    const ticking = setInterval(() => this.#admission.tick(), TICK_MS);
    const watchers = runtimes.all.map((runtime) => runtime.watch((id) => this.enqueue(id)));
    try {
      await Promise.all([
        this.loop.run(signal),
        this.pools.run(signal),
        this.#rounds.run(signal),
        this.#consume(signal),
        ...(this.#options.background ?? []).map((run) => run(signal)),
      ]);
      // The reason of the term's own end, if it has one, is reported to its caller.
      this.#end.signal.throwIfAborted();
    } finally {
      clearInterval(ticking);
      this.#rounds.end();
      this.loop.queue.shutDown();
      this.pools.queue.shutDown();
      await Promise.all(watchers.map((watcher) => watcher.close()));
    }
  }

  async #observeAll(resync: Resync): Promise<void> {
    await resync.run();
    await this.pools.enqueueAll();
    await this.#options.stream.trim();
    await this.#trimStreams();
  }

  async #trimStreams(): Promise<void> {
    const { store, findings } = this.#options;
    for (const id of (await store.budgets.trim()).unread)
      findings.note(`input of worker ${id}`, `Worker ${id} does not read its input, which exceeds 4 MiB.`);
  }

  async #consume(signal: AbortSignal): Promise<void> {
    const { epoch, loop, pools } = this;
    const counted = { epoch, loop, pools, warmPool: this.#warmPool, census: this.#census };
    try {
      await consumeForTerm(this.#options, { ...counted, enqueue: (id) => this.enqueue(id) }, signal);
    } catch (error) {
      this.#end.abort(error);
    }
  }
}
