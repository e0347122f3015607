import { randomUUID } from 'node:crypto';
import { recover } from '../../src/leader/recover.ts';
import { Resync, type ResyncOptions } from '../../src/leader/resync.ts';
import { toActionError } from '../../src/reconcile/act.ts';
import type { ReconcileContext } from '../../src/reconcile/context.ts';
import { LastSeen } from '../../src/reconcile/last-seen.ts';
import { type ReconcileResult, reconcileWorker } from '../../src/reconcile/worker.ts';
import { Runtimes } from '../../src/runtimes/registry.ts';
import { RuntimeDown } from '../../src/runtimes/runtime.ts';
import { Fenced } from '../../src/store/index.ts';
import { FakeRuntime } from '../support/fake-runtime/fake.ts';
import { CELL, GRACE_MS, LIMITS, type World } from './world.ts';

/**
 * What befalls the nth call that a manager makes:
 * - `die before`, `die after`: the manager is gone, before the call acts or after it has.
 * - `fail before`, `fail after`: the call fails, before it acts or after it has.
 * - `hold`: the manager is suspended right before the call, and continues when it is released.
 * - `late`: the call times out, and acts when late calls are let go; only acts on the engine.
 */
export type Mishap = 'die before' | 'die after' | 'fail before' | 'fail after' | 'hold' | 'late';

class Dead extends Error {}
const ACTS: ReadonlySet<string> = new Set(['create', 'start', 'terminate', 'kill', 'remove']);
const nothing = () => undefined;
const silent = { info: nothing, warn: nothing, error: nothing, debug: nothing, level: 'silent' };
const uncounted = new Proxy({}, { get: () => ({ inc: nothing, set: nothing, observe: nothing }) });

/** One term of one manager process, with its own runtime object, marks, queue and timers. */
export class Manager {
  alive = true;
  readonly epoch: number;
  readonly #world: World;
  readonly #context: ReconcileContext;
  readonly #queue = new Set<string>();
  readonly #due = new Map<string, number>();
  readonly #lastSeen = new LastSeen();
  readonly #runtimes: Runtimes;
  #resync: Resync | undefined;
  #mishap: { left: number; what: Mishap; on: string | undefined } | undefined;
  /** Resolves when the manager is suspended. */
  #suspended = Promise.withResolvers<void>();
  #letGo: (() => void) | undefined;
  /** The step under way where the manager was suspended in it. */
  #step: Promise<void> | undefined;

  constructor(world: World) {
    this.#world = world;
    this.epoch = world.store.acquire();
    const store = this.#guard(world.store, 'store');
    const runtime = this.#guard(new FakeRuntime({ engine: world.engine, cell: CELL }), 'engine');
    this.#runtimes = new Runtimes([runtime], () => world.now, nothing);
    this.#context = {
      store,
      runtimes: this.#runtimes,
      log: silent as never,
      epoch: this.epoch,
      limits: LIMITS,
      ...{ now: () => world.now, leadingSince: world.now, bodyRedisUrl: () => 'redis://', cell: CELL },
      actionErrors: new Map(),
      mayAct: () => this.alive,
      toActionError,
      images: world.images,
      vitals: world.vitals,
      secrets: async () => ({}),
      decided: (record, observation, decision) => {
        this.#lastSeen.set(observation, record.revision, decision);
      },
      recorded: (record, observation, decision) => {
        this.#lastSeen.set(observation, record.revision + 1, decision);
        world.check(record.id, record.status, decision.status, record.desired.min_incarnation);
      },
    };
  }

  /** Its nth call from now, or its nth call `on` that name, meets with that. */
  plan(what: Mishap, nth: number, on: string | undefined): void {
    this.#mishap = { left: nth, what, on };
  }

  spare(): void {
    this.#mishap = undefined;
  }

  get suspended(): boolean {
    return this.#step !== undefined;
  }

  /** Lets a suspended manager continue until its step is over or it is suspended again. */
  async letGo(): Promise<void> {
    const step = this.#step;
    if (!step) return;
    this.#step = undefined;
    this.#suspended = Promise.withResolvers();
    this.#letGo?.();
    await this.#untilSuspended(step);
  }

  /** Looks at everything, as the timer of the resync does, and reconciles workers that are due. */
  lookAround(): Promise<void> {
    return this.#run(async () => {
      await this.#runtimes.probe();
      const store = this.#context.store as never as ResyncOptions['store'] &
        Parameters<typeof recover>[0]['store'];
      const base = { store, runtimes: this.#runtimes, epoch: this.epoch, now: () => this.#world.now };
      const log = silent as never;
      if (!this.#resync) {
        const { identity } = await recover({ ...base, log, newId: randomUUID });
        this.#resync = new Resync({
          ...base,
          log,
          identity,
          metrics: uncounted as never,
          mayAct: () => this.alive,
          findings: { note: nothing, clear: nothing },
          grace_ms: GRACE_MS,
          breaker_share: 1,
          heartbeat_silent_ms: LIMITS.heartbeat_silent_ms,
          loop: {
            lastSeen: this.#lastSeen,
            queue: { add: (id) => void this.#queue.add(id) },
            countDenials: nothing,
          },
        });
      }
      await this.#resync.run();
      for (const [id, at] of this.#due) if (at <= this.#world.now) this.#queue.add(id);
      await this.#passes();
    });
  }

  /** An event: something about this worker may have changed. */
  pass(id: string): Promise<void> {
    this.#queue.add(id);
    return this.#run(() => this.#passes());
  }

  /** When time alone requires its next reconcile. */
  get nextDue(): number {
    return Math.min(...this.#due.values());
  }

  async #passes(): Promise<void> {
    // A reconcile that never settles would be a loop in the product as well.
    for (let left = 60; left > 0; left -= 1) {
      const [id] = this.#queue;
      if (id === undefined || !this.alive) return;
      this.#queue.delete(id);
      this.#due.delete(id);
      this.#settle(id, await reconcileWorker(id, this.#context));
    }
  }

  #settle(id: string, outcome: ReconcileResult): void {
    if (outcome.kind === 'again' || outcome.kind === 'conflict') this.#queue.add(id);
    if (outcome.kind === 'after') this.#due.set(id, this.#world.now + outcome.ms);
    if (outcome.kind === 'error' || outcome.kind === 'standby') this.#due.set(id, this.#world.now + 200);
    if (outcome.kind === 'terminal') this.#lastSeen.delete(id);
    if (outcome.kind === 'error' && (outcome.error as Error).name === 'Broken') throw outcome.error;
  }

  /** One step, to its end or until the manager is suspended in it. What a manager cannot survive ends it. */
  async #run(what: () => Promise<void>): Promise<void> {
    if (!this.alive || this.#step) return;
    const step = what().catch((error) => {
      if (error instanceof Dead || error instanceof Fenced) this.alive = false;
      else if ((error as Error).name === 'Broken') throw error;
    });
    await this.#untilSuspended(step);
  }

  async #untilSuspended(step: Promise<void>): Promise<void> {
    const end = await Promise.race([step.then(() => 'over' as const), this.#suspended.promise]);
    if (end !== 'over') this.#step = step;
  }

  #guard<T extends object>(target: T, place: 'store' | 'engine'): T {
    return new Proxy(target, {
      get: (_, name: string) => {
        const member = target[name as keyof T];
        if (typeof member !== 'function' || name === 'watch') return member;
        return (...args: unknown[]) => this.#call(place, name, () => member.apply(target, args));
      },
    });
  }

  async #call(place: 'store' | 'engine', name: string, call: () => Promise<unknown>): Promise<unknown> {
    if (!this.alive) throw new Dead();
    const what = this.#strike(name);
    if (what === 'hold') {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#letGo = resolve;
      this.#suspended.resolve();
      await promise;
      if (!this.alive) throw new Dead();
    }
    const failed = () =>
      place === 'engine' ? new RuntimeDown(`${name} timed out`) : new Error('Redis is away');
    if (what === 'late' && place === 'engine' && ACTS.has(name)) {
      this.#world.late.push(call);
      throw failed();
    }
    if (what === 'die before') this.#die();
    if (what === 'fail before') throw failed();
    const answer = await call();
    if (what === 'die after') this.#die();
    if (what === 'fail after') throw failed();
    return answer;
  }

  #strike(name: string): Mishap | undefined {
    const mishap = this.#mishap;
    if (!mishap || (mishap.on ?? name) !== name) return undefined;
    mishap.left -= 1;
    if (mishap.left > 0) return undefined;
    this.#mishap = undefined;
    return mishap.what;
  }

  #die(): never {
    this.alive = false;
    throw new Dead();
  }
}
