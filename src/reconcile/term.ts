/**
 * One term of leadership, from the lease that was won to its end: recover, then read commands, pass workers and
 * look at everything from time to time. It ends when its signal fires, and throws where it cannot go on: another
 * manager leads (`Fenced`), or the store is not the same any more (`StoreLost`). Bodies are never touched by its end.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { consumeCommands } from '../commands/index.ts';
import { ASSIGNED, instant, messageOf, type RuntimeName, type WorkerSpec } from '../model/index.ts';
import { steadyClock } from '../queue/clock.ts';
import { createWorkQueue } from '../queue/work-queue.ts';
import { Fenced } from '../store/index.ts';
import { DEFAULT_POOL } from '../tasks/desk.ts';
import type { CommandResult } from '../telemetry/metrics.ts';
import { Stock } from '../warm/stock.ts';
import { refusalOf } from './act.ts';
import { Adoption } from './adoption.ts';
import { askNode } from './ask-node.ts';
import { Loop } from './loop.ts';
import { Monitor } from './monitor.ts';
import type { PassContext } from './pass-context.ts';
import { endedBody, poolContext } from './pool-ports.ts';
import { BURST_MS, PoolLoop } from './pools.ts';
import { recover } from './recover.ts';
import { Resync, StoreLost } from './resync.ts';
import type { TermOptions } from './term-options.ts';

/** A resync that failed is tried again after this; so is a look for hints that were missed. */
const SOON_MS = 1000;

export class Term {
  readonly epoch: number;
  readonly loop: Loop;
  readonly pools: PoolLoop;
  readonly #options: TermOptions;
  readonly #mayAct: () => boolean;
  readonly #end = new AbortController();
  /** One key, `resync`, so that hints that come together cause one look. */
  readonly #looks = createWorkQueue({ clock: steadyClock });
  /** One key, `check`: a check that takes longer than its interval delays the next one. */
  readonly #checks = createWorkQueue({ clock: steadyClock });
  readonly #monitor: Monitor;
  readonly #stock: Stock;
  #resync: Resync | undefined;
  #adoption: Adoption | undefined;
  readonly #began: number;

  constructor(epoch: number, mayAct: () => boolean, options: TermOptions) {
    this.epoch = epoch;
    this.#options = options;
    this.#mayAct = mayAct;
    const { store, runtimes, log, limits, now, cell, bodyRedisUrl, metrics, concurrency } = options;
    this.#began = now();
    this.#stock = new Stock({
      info: (name) => runtimes.states.find((state) => state.name === name)?.info,
      imageOf: (spec) => imageOf(spec, options.images),
    });
    this.loop = new Loop({
      context: {
        ...{ store, runtimes, log, limits, now, cell, bodyRedisUrl, epoch, mayAct, refusalOf },
        images: options.images,
        secrets: options.secrets,
        handlersDir: options.handlersDir,
        vitals: (bodyId) => this.#monitor.vitals(bodyId),
        checkpoint: options.checkpoint,
        leadingSince: this.#began,
        refusals: new Map(),
      },
      metrics,
      concurrency,
      fenced: () => this.#end.abort(new Fenced()),
      decided: (seen, decision) => {
        this.#adoption?.note(seen, decision);
        this.#stock.note(seen, decision);
      },
      recorded: (seen, decision) => {
        const { pool, agent_type } = seen.desired.spec;
        if (pool) this.pools.workerChanged(seen.worker_id, pool);
        // Also one that nobody's pool has made takes tasks.
        const queue = pool ?? (agent_type === 'TASK' ? DEFAULT_POOL : undefined);
        const dead = queue === undefined ? undefined : endedBody(seen, decision);
        if (queue !== undefined && dead !== undefined) options.pools.release(queue, seen.worker_id, dead);
      },
      gone: (id) => {
        this.#stock.forget(id);
        this.pools.workerChanged(id);
      },
    });
    this.pools = new PoolLoop({
      context: {
        ...poolContext(options),
        ...{ epoch, mayAct, leadingSince: this.#began },
        changed: (id) => this.loop.queue.add(id),
      },
      fenced: () => this.#end.abort(new Fenced()),
    });
    this.#monitor = new Monitor({
      ...{ store, runtimes, log, limits, now, askNode, loop: this.loop },
      ...{ interval_ms: options.check_ms, monotonic: steadyClock.monotonic },
    });
  }

  /** Something about a worker may have changed; without an id, about any of them. */
  hint(workerId: string | undefined): void {
    if (workerId) this.loop.queue.add(workerId);
    else this.#looks.add('resync');
  }

  /** A build has begun, gone on or ended: those that wait for an image have to look. */
  imagesChanged(): void {
    for (const id of this.loop.marks.inPhase('building')) this.loop.queue.add(id);
  }

  /** A runtime has begun or ceased to answer: those that live there have to say so. */
  runtimeChanged(name: RuntimeName): void {
    for (const id of this.loop.marks.livingOn(name)) this.loop.queue.add(id);
    this.hint(undefined);
  }

  /** Seconds since the loop last showed that it moves: by a pass, or by a look at everything. */
  quietSeconds(): number {
    const look = (this.#options.now() - (this.#resync?.lastAt || this.#began)) / 1000;
    return Math.max(look, this.loop.quietSeconds());
  }

  /** Bodies that the removal breaker keeps from being removed; 0 while it is closed. */
  get heldBack(): number {
    return this.#resync?.heldBack ?? 0;
  }

  async run(outer: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([outer, this.#end.signal]);
    const { store, runtimes, log, metrics, now } = this.#options;
    const { identity, restored } = await recover({ store, runtimes, epoch: this.epoch, now, log });
    this.#options.checkpoint?.('recovered');
    for (const id of restored)
      await this.#tell(id, 'restored', 'The store was lost; the record was restored from the body.');
    this.#adoption = new Adoption(Object.keys(await store.index()), log, (id, event) => {
      metrics.adopted.inc(1);
      void store
        .tell(id, event)
        .catch((error) => log.warn({ worker_id: id, why: messageOf(error) }, 'history not written'));
    });
    const { limits, grace_ms, breaker_share } = this.#options;
    this.#resync = new Resync({
      ...{ store, runtimes, metrics, log, identity, now, grace_ms, breaker_share },
      ...{
        loop: this.loop,
        mayAct: this.#mayAct,
        epoch: this.epoch,
        heartbeat_silent_ms: limits.heartbeat_silent_ms,
      },
    });
    this.#looks.add('resync');
    this.#checks.addAfter('check', this.#options.check_ms);
    const watchers = runtimes.all.map((runtime) => runtime.watch((id) => this.hint(id)));
    try {
      await Promise.all([
        this.loop.run(signal),
        this.pools.run(signal),
        this.#looks.run(() => this.#look(this.#resync as Resync), 1, signal),
        this.#checks.run(() => this.#check(), 1, signal),
        this.#consume(signal),
      ]);
      // The reason of the term's own end, if it has one, is told to whoever began it.
      this.#end.signal.throwIfAborted();
    } finally {
      this.#looks.shutDown();
      this.#checks.shutDown();
      this.loop.queue.shutDown();
      this.pools.queue.shutDown();
      await Promise.all(watchers.map((watcher) => watcher.close()));
    }
  }

  async #look(resync: Resync): Promise<void> {
    const { resync_ms, log, stream } = this.#options;
    try {
      await resync.run();
      await this.pools.lookAround();
      await stream.trim();
      this.#looks.addAfter('resync', resync_ms);
    } catch (error) {
      if (error instanceof StoreLost || error instanceof Fenced) return this.#end.abort(error);
      log.warn({ why: messageOf(error) }, 'the look at everything failed; trying again');
      this.#looks.addAfter('resync', SOON_MS);
    }
  }

  async #check(): Promise<void> {
    try {
      await this.#monitor.run();
    } catch (error) {
      this.#options.log.warn({ why: messageOf(error) }, 'the check of all bodies failed');
    }
    this.#checks.addAfter('check', this.#options.check_ms);
  }

  async #consume(signal: AbortSignal): Promise<void> {
    const { stream, store, runtimes, log, now, newId, metrics, checkpoint, abilities, pools } = this.#options;
    const context = {
      ...{ store, now, newId, abilities, pools: pools.store },
      warm: (spec: WorkerSpec) => this.#stock.choose(spec),
      get runtimes() {
        return runtimes.states;
      },
    };
    const settled = (command: string, result: string, lagMs: number) => {
      metrics.commands.inc(1, { command: command as 'create', result: result as CommandResult });
      metrics.commandLag.observe(lagMs / 1000);
    };
    try {
      const changed = (id: string) => this.hint(id);
      const poolChanged = (name: string) => this.pools.hint(name);
      const takenOver = (id: string, by?: { spec: WorkerSpec; ms: number }) => {
        // Looked at after the burst, where its wrapper has not spoken by then; whom it was taken from, to be forgotten.
        this.loop.queue.addAfter(id, BURST_MS);
        if (!by) this.pools.bodyTaken(id);
        const runtime = by?.spec.runtime;
        if (runtime) metrics.spawnDuration.observe((now() - by.ms) / 1000, { phase: ASSIGNED, runtime });
      };
      const spared = (id: string) => {
        this.#stock.spare(id);
        this.hint(id);
      };
      const heard = { changed, poolChanged, takenOver, spared, settled };
      await consumeCommands({ stream, epoch: this.epoch, context, log, checkpoint, ...heard }, signal);
    } catch (error) {
      this.#end.abort(error);
    }
  }

  async #tell(id: string, type: string, message: string): Promise<void> {
    const { store, now } = this.#options;
    const event = {
      timestamp: instant(now()),
      type,
      status: 'STARTING',
      phase: 'accepted',
      reason: '',
      message,
    } as const;
    await store.tell(id, { ...event, incarnation: 0, actions: [] });
  }
}

/** The image that a body of this spec would run; none can be said where all run one. Unknown is like none. */
async function imageOf(spec: WorkerSpec, images: PassContext['images']): Promise<string | undefined> {
  if (!images) return undefined;
  const state = await images.state(spec).catch(() => undefined);
  return state && state.kind !== 'unknown' ? state.name : '';
}

/** Waits before a term is tried again after its start has failed, so that a broken store is no hot loop. */
export const pauseBetweenTerms = (signal: AbortSignal, ms = SOON_MS) =>
  delay(ms, undefined, { signal }).catch(() => {});
