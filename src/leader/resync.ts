/**
 * The resync: observes everything, on a timer and whenever events may have been missed; lists are
 * authoritative. It reads the index of generations, one list per runtime and the heartbeats, and enqueues a
 * worker only if something differs from what its last reconcile observed. It also drives the removal of
 * orphans. It decides nothing about a worker itself.
 */
import type { Logger } from 'pino';
import { type Body, errorMessage, parseInstant, readHeartbeat, type StoreIdentity } from '../model/index.ts';
import type { LastSeen } from '../reconcile/last-seen.ts';
import type { Loop } from '../reconcile/loop.ts';
import { type ListedBodies, listBodies } from '../runtimes/list-bodies.ts';
import { foreignBodies, type Ownership } from '../runtimes/ownership.ts';
import type { Runtimes } from '../runtimes/registry.ts';
import type { Findings, Store } from '../store/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { findOrphans } from './orphans.ts';
import { restore } from './recover.ts';
import { Repair } from './repair.ts';
import { WorkspaceSweep } from './workspace-sweep.ts';

/** Number of workers that a message names. */
const NAMED = 5;

/** The store is not the one with which this term began: it is empty, or another one. */
export class StoreLost extends Error {
  override name = 'StoreLost';
}

export interface ResyncOptions {
  store: Pick<
    Store,
    | 'indexState'
    | 'index'
    | 'heartbeats'
    | 'leads'
    | 'load'
    | 'restore'
    | 'status'
    | 'repair'
    | 'anyHeartbeat'
    | 'adopt'
    | 'workspaceUsers'
  >;
  runtimes: Runtimes;
  loop: { lastSeen: LastSeen; queue: Pick<Loop['queue'], 'add'>; countDenials: Loop['countDenials'] };
  metrics: Metrics;
  log: Logger;
  identity: StoreIdentity;
  /** The store whose bodies the runtimes list; without it, they list all. */
  ownership?: Ownership | undefined;
  findings: Pick<Findings, 'note' | 'clear'>;
  now: () => number;
  /** The lease is recent enough to start an action. */
  mayAct: () => boolean;
  epoch: number;
  grace_ms: number;
  breaker_share: number;
  heartbeat_silent_ms: number;
}

export class Resync {
  readonly #options: ResyncOptions;
  /** `undefined` before the first resync. */
  #revision: string | null | undefined;
  #index: Record<string, string> = {};
  #identity: StoreIdentity;
  readonly #repair: Repair;
  readonly #workspaces: WorkspaceSweep;
  #suspects: ReadonlySet<string> = new Set();
  #reported = new Set<string>();
  /** Invalid heartbeats, as they were when they were reported. */
  readonly #unreadable = new Map<string, string>();
  /** When the last complete resync ended, in milliseconds since 1970; 0 before the first. */
  lastAt = 0;
  #heldBackBodies = 0;

  constructor(options: ResyncOptions) {
    this.#options = options;
    this.#identity = options.identity;
    this.#workspaces = new WorkspaceSweep(options);
    const { store, findings, epoch, now, log, loop } = options;
    const changed = (id: string) => loop.queue.add(id);
    this.#repair = new Repair({ store, findings, epoch, now, log, changed, lastSeen: loop.lastSeen });
  }

  /** Number of bodies and workspaces that the last sweep would have removed without the breaker. */
  get heldBack(): number {
    return this.#heldBackBodies + this.#workspaces.heldBack;
  }

  /** Throws `StoreLost`, or errors of the store; a runtime that does not answer is skipped. */
  async run(): Promise<void> {
    const began = performance.now();
    const { loop, metrics, now } = this.#options;
    await this.#readIndex();
    let { bodies, listed } = await this.#list();
    if (await this.#adopt()) ({ bodies, listed } = await this.#list());
    await this.#repair.records(this.#index, bodies, listed.size === this.#options.runtimes.all.length);
    for (const id of loop.lastSeen.changedBodies(bodies, listed)) loop.queue.add(id);
    await this.#readHeartbeats();
    await this.#removeOrphans(bodies);
    await this.#workspaces.run(this.#index, { bodies, listed }, this.#identity);
    metrics.removalBreakerOpen.set(this.heldBack > 0 ? 1 : 0);
    this.lastAt = now();
    metrics.resyncDuration.observe((performance.now() - began) / 1000);
  }

  /** Reads the index if anything was written since, and enqueues workers whose record has changed. */
  async #readIndex(): Promise<void> {
    const { store, loop } = this.#options;
    const found = await store.indexState();
    if (found.identity !== this.#identity.id)
      throw new StoreLost('The store has lost its identity, and perhaps its records.');
    const first = this.#revision === undefined;
    const unchanged = !first && found.revision === this.#revision;
    const mended = await this.#repair.indexes(found, first ? undefined : this.#index, unchanged);
    if (unchanged && !mended) return;
    const before = this.#index;
    this.#index = await store.index();
    if (!first && (await this.#repair.vanished(before, this.#index))) this.#index = await store.index();
    this.#revision = found.revision;
    for (const id of loop.lastSeen.changedRecords(this.#index)) loop.queue.add(id);
  }

  /** Bodies of another label whose wrappers write to this store belong to it: it was lost, and they still serve it. */
  async #adopt(): Promise<boolean> {
    const { store, ownership, epoch, findings } = this.#options;
    const foreign = ownership?.foreign ?? [];
    const text = foreignBodies(foreign, this.#identity);
    if (text === undefined) {
      findings.clear('foreign bodies');
      return false;
    }
    const labels = new Set(foreign.flatMap(({ store: label }) => label ?? []));
    const adopted = { ...this.#identity.adopted };
    for (const label of labels) {
      const ids = foreign.filter((body) => body.store === label).map(({ worker_id }) => worker_id);
      if (await store.anyHeartbeat(ids)) adopted[label] = null;
    }
    if (Object.keys(adopted).length === Object.keys(this.#identity.adopted).length) {
      findings.note('foreign bodies', text);
      return false;
    }
    this.#identity = { ...this.#identity, adopted };
    await store.adopt(epoch, this.#identity);
    ownership?.set(this.#identity);
    return true;
  }

  #list(): Promise<ListedBodies> {
    const { runtimes, log } = this.#options;
    return listBodies(runtimes, (runtime, why) => log.debug({ runtime, why }, 'failed to list bodies'));
  }

  /** Looks for heartbeats that differ from the statuses. */
  async #readHeartbeats(): Promise<void> {
    const { store, loop, metrics, now, heartbeat_silent_ms } = this.#options;
    const ids = loop.lastSeen.living();
    if (ids.length === 0) return;
    const beats = await store.heartbeats(ids);
    if (this.#unreadable.size > 0) {
      const living = new Set(ids);
      for (const id of this.#unreadable.keys()) if (!living.has(id)) this.#unreadable.delete(id);
    }
    const at = now();
    for (const [place, id] of ids.entries()) {
      const text = beats[place];
      if (!text) {
        // A lost heartbeat means the same as an expired one.
        if (loop.lastSeen.hasHeartbeat(id)) loop.queue.add(id);
        continue;
      }
      const { heartbeat, unreadable } = readHeartbeat(text) ?? { unreadable: '' };
      if (!heartbeat) {
        this.#markUnreadable(id, text, unreadable);
        // Treated as lost: the resync continues without it.
        if (loop.lastSeen.hasHeartbeat(id)) loop.queue.add(id);
        continue;
      }
      this.#unreadable.delete(id);
      const age_ms = at - (parseInstant(heartbeat.at) ?? at);
      metrics.heartbeatAge.observe(Math.max(0, age_ms) / 1000);
      loop.countDenials(id, heartbeat, true);
      if (loop.lastSeen.isHeartbeatNews(id, { ...heartbeat, age_ms }, heartbeat_silent_ms))
        loop.queue.add(id);
    }
  }

  /** Counts and logs an invalid heartbeat, once for each text. */
  #markUnreadable(id: string, text: string, why: string): void {
    if (this.#unreadable.get(id) === text) return;
    this.#unreadable.set(id, text);
    this.#options.metrics.unreadable.inc(1, { kind: 'heartbeat' });
    this.#options.log.warn({ worker_id: id, why }, 'invalid heartbeat; it counts as lost');
  }

  async #removeOrphans(bodies: Body[]): Promise<void> {
    const { store, runtimes, loop, log, metrics } = this.#options;
    const identity = this.#identity;
    const { now, mayAct, epoch, grace_ms, breaker_share } = this.#options;
    const swept = findOrphans({
      bodies,
      known: (id) => this.#index[id] !== undefined,
      suspects: this.#suspects,
      now: now(),
      grace_ms,
      remembers_since: parseInstant(identity.created_at) ?? 0,
      breaker_share,
    });
    this.#suspects = swept.suspects;
    const before = this.#heldBackBodies;
    this.#heldBackBodies = swept.held_back.length;
    if (swept.held_back.length > 0 && swept.held_back.length !== before) {
      const hint = 'check them, then restart with a higher REMOVAL_BREAKER_SHARE to allow it';
      const worker_ids = swept.held_back.slice(0, NAMED).map(({ worker_id }) => worker_id);
      log.error(
        { orphans: swept.held_back.length, bodies: bodies.length, worker_ids, hint },
        'too many orphans; nothing is removed',
      );
    } else if (swept.held_back.length < before) log.info('orphans are removed again');
    const deleted: Body[] = [];
    for (const body of swept.before_memory) {
      if (!this.#reported.has(body.id) && (await restore(body, this.#options)))
        loop.queue.add(body.worker_id);
      this.#reported.add(body.id);
      // A worker that the store knows as deleted is not older than the store: a clock was set back.
      if ((await store.status(body.worker_id))?.desired === 'deleted') deleted.push(body);
    }
    for (const { id, worker_id, runtime } of [...swept.remove, ...deleted]) {
      if (!mayAct() || !(await store.leads(epoch))) return;
      // The index may be slightly old: a body with a newer record is not an orphan.
      if (await store.load(worker_id)) continue;
      try {
        await runtimes.call(runtime, (engine) => engine.remove(id));
        metrics.orphansRemoved.inc(1);
        log.warn({ worker_id, body_id: id, runtime }, 'removed a body without a record');
      } catch (error) {
        log.warn({ worker_id, body_id: id, why: errorMessage(error) }, 'failed to remove an orphan');
      }
    }
  }
}
