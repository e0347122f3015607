/**
 * A runtime in memory, for tests of the loop, for properties and for measuring the manager without an engine.
 * The world is a `FakeEngine`, which several `FakeRuntime` objects (managers, before and after a crash) share.
 *
 * What must always hold: it passes the conformance suite like the real ones, a call awaits nothing but a
 * microtask, and what it does not know it throws, never guesses. Must not import the store, the queue or the loop.
 */
import type { Duplex } from 'node:stream';
import {
  type Body,
  Fault,
  type ResourceUsage,
  type RuntimeName,
  type WorkerSpec,
  type Workspace,
} from '../../../src/model/index.ts';
import {
  BodyConflict,
  type BodyOrder,
  BodyRefused,
  type Runtime,
  RuntimeDown,
  type RuntimeInfo,
} from '../../../src/runtimes/runtime.ts';
import { FakeEngine } from './engine.ts';
import type { Verb } from './faults.ts';

export { FakeEngine } from './engine.ts';
export type { Verb } from './faults.ts';
export type { FakeEngineOptions, FakeProgram } from './program.ts';

export interface FakeRuntimeOptions {
  /** Taken from the engine where one is given; `docker` otherwise. */
  name?: RuntimeName;
  now?: () => number;
  engine?: FakeEngine;
  cell?: string;
}

export class FakeRuntime implements Runtime {
  readonly name: RuntimeName;
  readonly engine: FakeEngine;
  readonly cell: string;
  readonly #unwatch = new Set<() => void>();
  #closed = false;

  constructor(options: FakeRuntimeOptions = {}) {
    const { name = 'docker', now = Date.now } = options;
    this.engine = options.engine ?? new FakeEngine({ name, now });
    this.name = this.engine.name;
    this.cell = options.cell ?? 'default';
  }

  probe(): Promise<RuntimeInfo> {
    const limit = { supported: true, how: 'pretended' };
    const limits = { memory: limit, cpus: limit, pids: limit };
    return this.#call('probe', () => ({ name: this.name, version: 'fake', limits }));
  }

  list(): Promise<Body[]> {
    return this.#call('list', () => this.engine.list(this.cell));
  }

  find(workerId: string, _knownId: string | undefined): Promise<Body[]> {
    return this.#call('find', () => this.engine.bodiesOf(this.cell, workerId));
  }

  create(order: BodyOrder): Promise<Body> {
    return this.#call('create', () => {
      const taken = this.engine.nameTaken(this.cell, order.worker_id);
      if (taken === 'free') return this.engine.make(this.cell, order);
      const what = taken === 'ours' ? 'another body of it' : 'something that is not ours';
      throw new BodyConflict(`The name of worker ${order.worker_id} is taken by ${what}.`, taken === 'ours');
    });
  }

  start(bodyId: string): Promise<void> {
    return this.#call('start', () => {
      if (!this.engine.body(this.cell, bodyId)) {
        throw new Fault('not_found', `Body ${bodyId} can't be started: it is gone.`);
      }
      const refused = this.engine.start(bodyId);
      if (refused !== undefined)
        throw new BodyRefused('StartFailed', `Body ${bodyId} can't be started: ${refused}`);
    });
  }

  deliver(bodyId: string, content: string): Promise<void> {
    return this.#call('deliver', () => {
      if (!this.engine.body(this.cell, bodyId))
        throw new Fault('not_found', `Body ${bodyId} can't be given its secrets: it is gone.`);
      if (!this.engine.deliver(bodyId, content))
        throw new Fault(
          'conflict',
          `Body ${bodyId} was not given its secrets: it does not wait for them now.`,
        );
    });
  }

  connect(bodyId: string): Promise<Duplex> {
    return this.#call('connect', () => {
      const body = this.engine.body(this.cell, bodyId);
      if (!body) throw new Fault('not_found', `Body ${bodyId} can't be connected to: it is gone.`);
      const stream = this.engine.connect(bodyId);
      if (!stream) throw new Fault('conflict', `Body ${bodyId} can't be connected to: its door is not open.`);
      return stream;
    });
  }

  terminate(bodyId: string): Promise<void> {
    return this.#call('terminate', () => {
      if (this.engine.body(this.cell, bodyId)) this.engine.terminate(bodyId);
    });
  }

  kill(bodyId: string): Promise<void> {
    return this.#call('kill', () => {
      if (this.engine.body(this.cell, bodyId)?.state === 'running')
        this.engine.exit(bodyId, { exit_code: 137 });
    });
  }

  remove(bodyId: string): Promise<void> {
    return this.#call('remove', () => {
      if (this.engine.body(this.cell, bodyId)) this.engine.remove(bodyId);
    });
  }

  listWorkspaces(): Promise<Workspace[]> {
    return this.#call('listWorkspaces', () => this.engine.workspaces.list(this.cell));
  }

  removeWorkspace(id: string): Promise<void> {
    return this.#call('removeWorkspace', () => {
      if (this.engine.list(this.cell).some(({ workspace }) => workspace === id))
        throw new Fault('conflict', `The workspace ${id} is in use.`);
      this.engine.workspaces.remove(this.cell, id);
    });
  }

  limit(bodyId: string, _spec: WorkerSpec): Promise<void> {
    return this.#call('limit', () => {
      if (!this.engine.body(this.cell, bodyId))
        throw new Fault('not_found', `Body ${bodyId} can't be limited: it is gone.`);
    });
  }

  usage(bodyId: string): Promise<ResourceUsage> {
    return this.#call('usage', () =>
      this.engine.body(this.cell, bodyId) ? this.engine.usage(bodyId) : ({} satisfies ResourceUsage),
    );
  }

  watch(onEvent: (workerId: string | undefined) => void): { close(): Promise<void> } {
    const unwatch = this.engine.watch(this.cell, onEvent);
    this.#unwatch.add(unwatch);
    return {
      close: async () => {
        this.#unwatch.delete(unwatch);
        unwatch();
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const unwatch of this.#unwatch) unwatch();
    this.#unwatch.clear();
  }

  async dismantle(): Promise<void> {
    const left = this.engine.list(this.cell).length;
    if (left > 0) throw new Error(`Cell ${this.cell} still has ${left} bodies: remove them first.`);
    this.engine.workspaces.clear(this.cell);
  }

  /** The next call of the verb, or the `nth` from now, throws `error` and does nothing. */
  fail(verb: Verb, error: Error, nth = 1): void {
    this.engine.faults.fail(verb, error, nth);
  }

  /** The next call of the verb acts, and its caller gets that the engine did not answer. */
  actThenTimeOut(verb: Verb, nth = 1): void {
    this.engine.faults.failAfter(
      verb,
      new RuntimeDown(`The fake engine did not answer ${verb} in time.`),
      nth,
    );
  }

  async #call<T>(verb: Verb, act: () => T): Promise<T> {
    const fault = this.engine.faults.take(verb);
    if (this.#closed) throw new RuntimeDown(`${verb}: this runtime was closed.`);
    if (fault?.gate) await fault.gate;
    if (this.engine.faults.down) throw new RuntimeDown(`The fake engine is down: ${verb} was not answered.`);
    if (fault?.before) throw fault.before;
    const answer = act();
    if (fault?.after) throw fault.after;
    return answer;
  }
}
