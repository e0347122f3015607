/**
 * A runtime that shows only the bodies of one store, which have its identity as a label. Two managers may
 * share an engine, a cell name and a folder, and still use two stores; bodies of the other store are never
 * listed, and so never ended.
 *
 * Invariants: every new body has the identity as a label; until the identity is known, nothing is hidden,
 * because the next check determines which store this is. Must not import the store.
 */
import { type Body, owns, type RuntimeName, type StoreIdentity } from '../model/index.ts';
import { BodyConflict, type BodyOrder, type Runtime } from './runtime.ts';

/** Maximum number of other stores' bodies that a message lists. */
const NAMED = 5;

/** The store whose bodies a manager sees, shared by all of its runtimes. */
export class Ownership {
  #identity: StoreIdentity | undefined;
  #last: string | undefined;
  readonly #foreign = new Map<RuntimeName, Body[]>();
  readonly #found: (body: Body) => void;
  readonly #reported = new Set<string>();

  /** `found` is called once for each body of another store. */
  constructor(found: (body: Body) => void = () => {}) {
    this.#found = found;
  }

  get identity(): StoreIdentity | undefined {
    return this.#identity;
  }

  /** The identity that this process last led under, even if the store has lost it since. */
  get last(): string | undefined {
    return this.#last;
  }

  /** `undefined` means that the owner of the bodies is unknown now, and all are shown. */
  set(identity: StoreIdentity | undefined): void {
    this.#identity = identity;
    this.#last = identity?.id ?? this.#last;
  }

  /** Bodies of other stores in the most recent lists. */
  get foreign(): Body[] {
    return [...this.#foreign.values()].flat();
  }

  owns(body: Pick<Body, 'store' | 'created_at'>): boolean {
    return this.#identity === undefined || owns(this.#identity, body);
  }

  listed(runtime: RuntimeName, bodies: Body[]): Body[] {
    const ours: Body[] = [];
    const foreign: Body[] = [];
    for (const body of bodies) (this.owns(body) ? ours : foreign).push(body);
    this.#foreign.set(runtime, foreign);
    for (const body of foreign) {
      if (!this.#reported.has(body.id)) this.#found(body);
      this.#reported.add(body.id);
    }
    return foreign.length === 0 ? bodies : ours;
  }
}

export function withOwnership(inner: Runtime, ownership: Ownership): Runtime {
  const create = async (order: BodyOrder): Promise<Body> => {
    const store = ownership.identity?.id;
    try {
      return await inner.create(store === undefined ? order : { ...order, store });
    } catch (error) {
      if (!(error instanceof BodyConflict && error.ours)) throw error;
      const foreign = (await inner.find(order.worker_id, undefined)).find((body) => !ownership.owns(body));
      throw foreign ? new BodyConflict(foreignName(foreign), false) : error;
    }
  };
  return {
    name: inner.name,
    probe: () => inner.probe(),
    list: async () => ownership.listed(inner.name, await inner.list()),
    find: async (id, known) => (await inner.find(id, known)).filter((body) => ownership.owns(body)),
    create,
    start: (id) => inner.start(id),
    deliver: (id, content) => inner.deliver(id, content),
    connect: (id) => inner.connect(id),
    terminate: (id) => inner.terminate(id),
    kill: (id) => inner.kill(id),
    remove: (id) => inner.remove(id),
    listWorkspaces: async () => (await inner.listWorkspaces()).filter((one) => ownership.owns(one)),
    removeWorkspace: (id) => inner.removeWorkspace(id),
    usage: (id) => inner.usage(id),
    limit: (id, spec) => inner.limit(id, spec),
    watch: (onEvent) => inner.watch(onEvent),
    close: () => inner.close(),
    dismantle: () => inner.dismantle(),
  };
}

const foreignName = ({ worker_id, id, store }: Body) =>
  `The name of worker ${worker_id} is taken by body ${id} of another store (${store}), which this manager does not touch.`;

/** The message about bodies of other stores; `undefined` if there are none. */
export function foreignBodies(bodies: Body[], identity: StoreIdentity | undefined): string | undefined {
  if (bodies.length === 0) return undefined;
  const named = bodies.slice(0, NAMED).map(({ runtime, worker_id, id, store }) => {
    return `${runtime} body ${id.slice(0, 12)} of worker ${worker_id} (store ${store})`;
  });
  const more = bodies.length > NAMED ? ` and ${bodies.length - NAMED} more` : '';
  const isOwned = bodies.length === 1;
  return (
    `${bodies.length} ${isOwned ? 'body belongs' : 'bodies belong'} to another Redis (this is store ${identity?.id}), and ` +
    `${isOwned ? 'is' : 'are'} left alone: ${named.join(', ')}${more}. Connect a manager to that Redis, give the two managers different CELLs, ` +
    'or, if that Redis is gone for good, remove them with the engine.'
  );
}
