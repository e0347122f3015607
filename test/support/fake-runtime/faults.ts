import type { Body } from '../../../src/model/index.ts';

/** The calls of a runtime that can be made to fail. */
export type Verb =
  | 'probe'
  | 'list'
  | 'find'
  | 'create'
  | 'start'
  | 'deliver'
  | 'connect'
  | 'terminate'
  | 'kill'
  | 'remove'
  | 'limit'
  | 'usage'
  | 'listWorkspaces'
  | 'removeWorkspace';

interface Planned {
  /** Calls of the verb that still pass before it strikes. */
  skip: number;
  before?: Error;
  after?: Error;
  /** The call waits for this before it acts. */
  gate?: Promise<void>;
}

/** What goes wrong between a manager and its engine: each planned fault strikes once. */
export class Faults {
  /** Every call fails with `RuntimeDown`, without an effect. */
  down = false;
  /** Watchers get no events. */
  hintsLost = false;
  /** Lists of the past, by cell, that are answered instead of the truth. */
  staleList: Map<string, readonly Body[]> | undefined;
  /** How often each verb was called. */
  readonly calls: Record<Verb, number> = {
    probe: 0,
    list: 0,
    find: 0,
    create: 0,
    start: 0,
    deliver: 0,
    connect: 0,
    terminate: 0,
    kill: 0,
    remove: 0,
    limit: 0,
    usage: 0,
    listWorkspaces: 0,
    removeWorkspace: 0,
  };
  readonly #planned = new Map<Verb, Planned[]>();

  /** The next call of the verb, or the `nth` from now, throws `error` and does nothing. */
  fail(verb: Verb, error: Error, nth = 1): void {
    this.#plan(verb, { skip: nth - 1, before: error });
  }

  /** The next call, or the `nth` from now, acts, and its caller gets `error` instead of the answer. */
  failAfter(verb: Verb, error: Error, nth = 1): void {
    this.#plan(verb, { skip: nth - 1, after: error });
  }

  /** The next call, or the `nth` from now, hangs until the function that is answered is called, and acts then. */
  hang(verb: Verb, nth = 1): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#plan(verb, { skip: nth - 1, gate: promise });
    return resolve;
  }

  /** The engine recovers: planned faults are dropped. */
  clear(): void {
    this.#planned.clear();
    this.down = false;
    this.hintsLost = false;
    this.staleList = undefined;
  }

  /** Counts a call and returns its fault. */
  take(verb: Verb): Planned | undefined {
    this.calls[verb] += 1;
    const planned = this.#planned.get(verb);
    if (!planned || planned.length === 0) return undefined;
    const index = planned.findIndex(({ skip }) => skip === 0);
    for (const fault of planned) fault.skip -= fault.skip > 0 ? 1 : 0;
    return index < 0 ? undefined : planned.splice(index, 1)[0];
  }

  #plan(verb: Verb, fault: Planned): void {
    this.#planned.set(verb, [...(this.#planned.get(verb) ?? []), fault]);
  }
}
