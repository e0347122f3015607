import { type Duplex, duplexPair } from 'node:stream';
import type { Body, ResourceUsage, RuntimeName } from '../../../src/model/index.ts';
import type { BodyOrder } from '../../../src/runtimes/runtime.ts';
import type { FakeBody } from './fake-body.ts';
import { Faults } from './faults.ts';
import { Names, nameOf } from './names.ts';
import type { FakeEngineOptions, FakeProgram } from './program.ts';
import { FakeWorkspaces } from './workspaces.ts';

/**
 * A world of bodies in memory, which outlives the `FakeRuntime` objects (managers) that act on it. It refuses a
 * second body of the same name and never gives an id twice. Tests change the world through it and ask it what
 * has ever been true. Must not import the store, the queue or the loop.
 */
export class FakeEngine {
  readonly name: RuntimeName;
  readonly now: () => number;
  readonly faults = new Faults();
  /** The largest number of running bodies of one worker ever seen; bodies planted by `duplicate` don't count. */
  peakLive = 0;
  /** What each body was handed, in order. */
  readonly deliveries = new Map<string, string[]>();
  readonly workspaces = new FakeWorkspaces();
  readonly #program: (order: BodyOrder, files: Set<string>) => FakeProgram;
  readonly #entries = new Map<string, FakeBody>();
  readonly #names = new Names();
  readonly #workers = new Map<string, Set<string>>();
  readonly #lists = new Map<string, readonly Body[]>();
  readonly #watchers = new Set<{ cell: string; onEvent: (workerId: string | undefined) => void }>();
  readonly #connections = new Map<string, Set<Duplex>>();
  #made = 0;

  constructor(options: FakeEngineOptions = {}) {
    this.name = options.name ?? 'docker';
    this.now = options.now ?? Date.now;
    this.#program = options.program ?? (() => ({}));
  }

  // --- what a runtime asks; a call is atomic -----------------------------------------------------------------

  list(cell: string): Body[] {
    const cached = this.faults.staleList?.get(cell) ?? this.#lists.get(cell);
    if (cached) return cached.slice();
    const list = [...this.#entries.values()].filter((entry) => entry.cell === cell).map(({ body }) => body);
    this.#lists.set(cell, list);
    return list.slice();
  }

  bodiesOf(cell: string, workerId: string): Body[] {
    const ids = [...(this.#workers.get(nameOf(cell, workerId)) ?? [])];
    return ids.flatMap((id) => {
      const entry = this.#entries.get(id);
      if (!entry) return [];
      if (entry.body.state !== 'exited') return [entry.body];
      entry.found ??= Object.freeze({ ...entry.body, tail: entry.program.tail ?? '' });
      return [entry.found];
    });
  }

  /** The body, or `undefined` if the ID is not in this cell. */
  body(cell: string, id: string): Readonly<Body> | undefined {
    const entry = this.#entries.get(id);
    return entry?.cell === cell ? entry.body : undefined;
  }

  /** What has the worker's name: nothing, a body of ours, or a foreign thing. */
  nameTaken(cell: string, workerId: string): 'free' | 'ours' | 'foreign' {
    return this.#names.holder(nameOf(cell, workerId));
  }

  make(cell: string, order: BodyOrder, name = nameOf(cell, order.worker_id), planted = false): Body {
    this.#made += 1;
    const workspace = this.workspaces.ensure(cell, order, this.now());
    const id = `fake${this.#made.toString(16).padStart(12, '0')}`;
    const body: Body = Object.freeze({
      id,
      runtime: this.name,
      worker_id: order.worker_id,
      incarnation: order.incarnation,
      spec_hash: order.spec_hash,
      spec: JSON.stringify(order.spec),
      ...(order.store === undefined ? {} : { store: order.store }),
      ...(workspace && { workspace: workspace.id }),
      state: 'created',
      created_at: this.now(),
      image: 'fake',
    });
    const program = this.#program(order, workspace?.files ?? new Set());
    this.#entries.set(id, { cell, name, body, found: undefined, program, terminated: false, planted });
    this.#names.give(name);
    const worker = nameOf(cell, order.worker_id);
    const ids = this.#workers.get(worker) ?? new Set();
    this.#workers.set(worker, ids.add(id));
    this.#changed(cell, order.worker_id);
    return body;
  }

  /** Starts it; returns the reason if its program can't be started. */
  start(id: string): string | undefined {
    const entry = this.#entry(id);
    if (entry.body.state !== 'created') return undefined;
    const { refused, exit_code, oom_killed } = entry.program;
    if (refused !== undefined) {
      this.#put(entry, { error: refused });
      return refused;
    }
    this.#put(entry, { state: 'running', started_at: this.now(), ip_address: '127.0.0.1' });
    if (exit_code !== undefined) this.exit(id, { exit_code, oom_killed });
    return undefined;
  }

  /** Delivers secrets; returns false if the body does not wait for any. */
  deliver(id: string, content: string): boolean {
    const { body, program } = this.#entry(id);
    if (body.state !== 'running' || body.paused || program.ignores_secrets) return false;
    this.deliveries.set(id, [...(this.deliveries.get(id) ?? []), content]);
    if (program.on_secrets) this.exit(id, program.on_secrets(content));
    return true;
  }

  /** A connection to the door of a running body; it is cut when the body ends. */
  connect(id: string): Duplex | undefined {
    const { body, program } = this.#entry(id);
    if (body.state !== 'running' || !program.on_connect) return undefined;
    const [ours, theirs] = duplexPair();
    const open = this.#connections.get(id) ?? new Set();
    this.#connections.set(id, open.add(ours));
    ours.once('close', () => open.delete(ours));
    // An error of one side is none of the other's.
    theirs.on('error', () => {});
    ours.once('close', () => theirs.destroy());
    program.on_connect(theirs);
    return ours;
  }

  terminate(id: string): void {
    const entry = this.#entry(id);
    if (entry.body.state !== 'running' || entry.program.ignores_sigterm) return;
    entry.terminated = true;
    if (!entry.body.paused) this.exit(id, { exit_code: 143 });
  }

  remove(id: string): void {
    const entry = this.#entry(id);
    this.#entries.delete(id);
    this.#cut(id);
    this.#names.free(entry.name);
    const worker = nameOf(entry.cell, entry.body.worker_id);
    const ids = this.#workers.get(worker);
    ids?.delete(id);
    if (ids?.size === 0) this.#workers.delete(worker);
    this.#changed(entry.cell, entry.body.worker_id);
  }

  /** What a body has used; a test may say it. */
  cpuSeconds: (id: string) => number = () => 0;

  usage(id: string): ResourceUsage {
    return this.#entry(id).body.state === 'running'
      ? { cpu_seconds: this.cpuSeconds(id), memory_bytes: 1024 ** 2, pids: 1 }
      : {};
  }

  watch(cell: string, onEvent: (workerId: string | undefined) => void): () => void {
    const watcher = { cell, onEvent };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  // --- what a test does to the world -------------------------------------------------------------------------

  /** The body ends on its own. */
  exit(id: string, how: { exit_code?: number; oom_killed?: boolean | undefined; tail?: string } = {}): void {
    const entry = this.#entry(id);
    if (entry.body.state !== 'running') throw new Error(`body ${id} is ${entry.body.state}, not running`);
    if (how.tail !== undefined) entry.program = { ...entry.program, tail: how.tail };
    const exit_code = how.exit_code ?? 0;
    const oom_killed = how.oom_killed ?? false;
    this.#put(entry, { state: 'exited', exit_code, oom_killed, finished_at: this.now(), paused: false });
  }

  /** The body is removed without an event. */
  vanish(id: string): void {
    this.remove(id);
  }

  pause(id: string): void {
    this.#put(this.#entry(id), { paused: true });
  }

  unpause(id: string): void {
    const entry = this.#entry(id);
    this.#put(entry, { paused: false });
    if (entry.terminated) this.exit(id, { exit_code: 143 });
  }

  /** Puts a thing that is not ours in the way of a worker's name. Its end is `freeName`. */
  occupyName(workerId: string, cell = 'default'): void {
    this.#names.occupy(nameOf(cell, workerId));
  }

  freeName(workerId: string, cell = 'default'): void {
    this.#names.clear(nameOf(cell, workerId));
  }

  /** Plants a second running body with the same labels, which the engine's names can't prevent; answers its id. */
  duplicate(workerId: string, cell = 'default'): string {
    const [original] = this.bodiesOf(cell, workerId);
    if (!original) throw new Error(`worker ${workerId} has no body to duplicate`);
    const { incarnation, spec_hash } = original;
    const spec = JSON.parse(original.spec);
    const order = { worker_id: workerId, incarnation, spec, spec_hash, epoch: 0, env: {} };
    const { id } = this.make(cell, order, `${nameOf(cell, workerId)} (planted ${this.#made + 1})`, true);
    this.start(id);
    return id;
  }

  /** Changes the labels that a body carries, as a person or an older version could have left them. */
  relabel(id: string, labels: Partial<Pick<Body, 'incarnation' | 'spec_hash' | 'spec'>>): void {
    this.#put(this.#entry(id), labels);
  }

  /** From now on every list is as it was at this moment, until `faults.staleList` is cleared. */
  freezeList(cell = 'default'): void {
    this.faults.staleList = new Map([[cell, this.list(cell)]]);
  }

  /** Every watcher is notified that it may have missed something, as after a lost connection. */
  reconnect(): void {
    for (const { onEvent } of [...this.#watchers]) queueMicrotask(() => onEvent(undefined));
  }

  /** Running bodies of a worker now, planted ones too. */
  liveOf(workerId: string, cell = 'default'): number {
    return this.bodiesOf(cell, workerId).filter(({ state }) => state === 'running').length;
  }

  #entry(id: string): FakeBody {
    const entry = this.#entries.get(id);
    if (!entry) throw new Error(`the engine has no body ${id}`);
    return entry;
  }

  #cut(id: string): void {
    for (const stream of this.#connections.get(id) ?? []) stream.destroy(new Error('the body has ended'));
    this.#connections.delete(id);
  }

  #put(entry: FakeBody, change: Partial<Body>): void {
    if (change.state === 'exited') this.#cut(entry.body.id);
    entry.body = Object.freeze({ ...entry.body, ...change });
    entry.found = undefined;
    this.#changed(entry.cell, entry.body.worker_id);
    if (change.state !== 'running' || entry.planted) return;
    const ids = this.#workers.get(nameOf(entry.cell, entry.body.worker_id)) ?? [];
    const live = [...ids]
      .map((id) => this.#entry(id))
      .filter((it) => it.body.state === 'running' && !it.planted);
    this.peakLive = Math.max(this.peakLive, live.length);
  }

  #changed(cell: string, workerId: string): void {
    this.#lists.delete(cell);
    if (this.faults.hintsLost) return;
    for (const watcher of this.#watchers)
      if (watcher.cell === cell) queueMicrotask(() => watcher.onEvent(workerId));
  }
}
