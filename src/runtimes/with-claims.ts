/**
 * A runtime in which a worker may live in the body of another: the same interface over the same engine, where a body
 * that was taken over is seen as that of the worker which has it now. The loop knows of it only the phase in which such a
 * worker begins.
 *
 * What must always hold: a worker has at most one body, its own or the one that it took over; a body that its worker
 * never reported from counts as one that was not started, and is removed if it does not start to work, so that the
 * worker gets one of its own; what is not known of a takeover is thrown, never answered as "there is none".
 *
 * Must not import the store: what it knows of takeovers it is handed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Body, Claim, ClaimedWorker, WorkerSpec } from '../model/index.ts';
import { type ClaimStore, isWarm, toClaimedBody } from './claimed-body.ts';
import { BodyConflict, type BodyOrder, type Runtime, RuntimeDown } from './runtime.ts';

export interface ClaimOptions {
  claimStore: ClaimStore;
  /** The spec of a worker, from its record. */
  specOf: (workerId: string) => Promise<WorkerSpec | undefined>;
  now: () => number;
  /** Milliseconds until a wrapper that got its claim and does not start is removed. */
  patienceMs?: number;
}

/** A wrapper begins within milliseconds; on the busiest machine that was seen, in a second. */
const PATIENCE_MS = 10_000;
const POLL_MS = 5;
/** As long as a takeover takes on a busy machine; the look that follows it comes later. */
const FRESH_MS = 500;
/** Within this a wrapper that lives says whom it serves: two heartbeats, and time for them. */
const SILENT_MS = 15_000;

export function withClaims(inner: Runtime, options: ClaimOptions): Runtime {
  return new ClaimingRuntime(inner, options);
}

class ClaimingRuntime implements Runtime {
  readonly #inner: Runtime;
  readonly #claimStore: ClaimStore;
  readonly #options: ClaimOptions;
  /** Takeovers that were read, by the body and by whom it was made for: for acts and hints, which name only those. */
  readonly #byBody = new Map<string, Claim>();
  readonly #byOrigin = new Map<string, string>();
  /** Bodies that wait to be taken over, as they were seen last, without an event since. */
  readonly #waiting = new Map<string, Body>();
  /** Since when bodies are observed whose worker is unknown. */
  #silent = new Map<string, number>();

  constructor(inner: Runtime, options: ClaimOptions) {
    this.#inner = inner;
    this.#claimStore = options.claimStore;
    this.#options = options;
  }

  get name() {
    return this.#inner.name;
  }

  async list(): Promise<Body[]> {
    const bodies = await this.#inner.list();
    const found = new Map<string, { taken: ClaimedWorker; spec: string }>();
    // Read after the list: what was taken over in between is then known, and in the list by its first name.
    const all = await this.#claimStore.all();
    for (const claim of all) found.set(claim.body_id, { taken: claim, spec: '' });
    const silent = await this.#refreshClaims(bodies, found);
    this.#remember(all);
    return bodies
      .filter(({ id }) => !silent.has(id))
      .map((body) => {
        const { taken: claim, spec } = found.get(body.id) ?? {};
        return claim ? toClaimedBody(body, claim, spec ?? '') : body;
      });
  }

  async find(workerId: string, knownId: string | undefined): Promise<Body[]> {
    // The stock is empty, or nearly: most workers have a body of their own, and are not made to wait for this.
    const first = this.#waiting.size > 0 ? await this.#claimStore.get(workerId) : undefined;
    const fresh = first && this.#asAvailable(first);
    if (fresh) return [fresh];
    const [claim, own] = await Promise.all([
      first ?? this.#claimStore.get(workerId),
      this.#inner.find(workerId, knownId),
    ]);
    if (!claim) {
      for (const body of own) if (isWarm(body.spec)) this.#waiting.set(body.id, body);
      return own;
    }
    this.#remember([claim]);
    const theirs = await this.#inner.find(claim.made_for, undefined);
    const body = theirs.find(({ id }) => id === claim.body_id);
    return body ? [...own, toClaimedBody(body, claim, '')] : own;
  }

  async create(order: BodyOrder): Promise<Body> {
    const claim = await this.#claimStore.get(order.worker_id);
    const existing = claim && (await this.#body(claim));
    if (existing)
      throw new BodyConflict(`Worker ${order.worker_id} has claimed the body ${existing.id}.`, true);
    return this.#inner.create(order);
  }

  /** For a claimed body: sets its limits, notifies its wrapper, and waits until that starts. */
  async start(bodyId: string): Promise<void> {
    const known = this.#byBody.get(bodyId);
    const claim = known && (await this.#claimStore.get(known.worker_id));
    if (claim?.body_id !== bodyId) return this.#inner.start(bodyId);
    const body = await this.#body(claim);
    if (claim.begun) return;
    if (body?.state !== 'running') return this.#discard(claim);
    if (!claim.told) {
      if (!(await this.#limit(claim))) return this.#discard(claim);
      await this.#claimStore.announce(claim);
    }
    if (!(await this.#begins(claim))) await this.#discard(claim);
  }

  async remove(bodyId: string): Promise<void> {
    this.#waiting.delete(bodyId);
    const known = this.#byBody.get(bodyId);
    await this.#inner.remove(bodyId);
    if (!known) return;
    await this.#claimStore.drop(known.worker_id);
    this.#byBody.delete(bodyId);
    this.#byOrigin.delete(known.made_for);
  }

  watch(onEvent: (workerId: string | undefined) => void) {
    return this.#inner.watch((id) => {
      for (const [bodyId, { worker_id }] of this.#waiting)
        if (id === undefined || worker_id === id) this.#waiting.delete(bodyId);
      onEvent(id === undefined ? id : (this.#byOrigin.get(id) ?? id));
    });
  }

  probe = () => this.#inner.probe();
  kill = (bodyId: string) => {
    this.#waiting.delete(bodyId);
    return this.#inner.kill(bodyId);
  };
  terminate = (bodyId: string) => {
    this.#waiting.delete(bodyId);
    return this.#inner.terminate(bodyId);
  };
  deliver = (bodyId: string, content: string) => this.#inner.deliver(bodyId, content);
  limit = (bodyId: string, spec: WorkerSpec) => this.#inner.limit(bodyId, spec);
  usage = (bodyId: string) => this.#inner.usage(bodyId);
  close = () => this.#inner.close();
  dismantle = () => this.#inner.dismantle();

  /**
   * The body of a worker that has just begun in it, without asking the engine: its wrapper reported a moment ago, and no
   * hint has come of its end. Right after the takeover only; from then on every look is a real one.
   */
  #asAvailable(claim: ClaimedWorker): Body | undefined {
    const body = this.#waiting.get(claim.body_id);
    const age = this.#options.now() - claim.at;
    if (body?.state !== 'running' || !claim.begun || age < 0 || age > FRESH_MS) return undefined;
    this.#remember([claim]);
    return toClaimedBody(body, claim, '');
  }

  async #body(claim: Claim): Promise<Body | undefined> {
    const found = await this.#inner.find(claim.made_for, undefined);
    return found.find(({ id }) => id === claim.body_id);
  }

  /** Gives the body the limits of its new worker; false where it cannot have them. */
  async #limit({ worker_id, body_id }: Claim): Promise<boolean> {
    const spec = await this.#options.specOf(worker_id);
    if (!spec) return false;
    try {
      await this.#inner.limit(body_id, spec);
      return true;
    } catch (error) {
      if (error instanceof RuntimeDown) throw error;
      return false;
    }
  }

  /** Whether the wrapper has started to report for its worker, within the time that it has, or its body has ended. */
  async #begins({ worker_id }: Claim): Promise<boolean> {
    const deadline = performance.now() + (this.#options.patienceMs ?? PATIENCE_MS);
    for (let waitMs = POLL_MS; performance.now() < deadline; waitMs = Math.min(2 * waitMs, 500)) {
      const claim = await this.#claimStore.get(worker_id);
      if (!claim || claim.begun) return true;
      if (waitMs > 50 && (await this.#body(claim))?.state !== 'running') break;
      await delay(waitMs);
    }
    return (await this.#claimStore.get(worker_id))?.begun !== false;
  }

  /** The body did not come to work: the worker gets one of its own. */
  async #discard(claim: Claim): Promise<void> {
    await this.#inner.remove(claim.body_id);
    // It started anyway: then it was the worker's body, and its end is reported as such.
    if ((await this.#claimStore.get(claim.worker_id))?.begun) return;
    await this.#claimStore.drop(claim.worker_id);
    this.#byBody.delete(claim.body_id);
    this.#byOrigin.delete(claim.made_for);
  }

  /**
   * What the book has lost is learnt again from the wrappers: of each body that was made to be taken over, and has no
   * record, its wrapper reports its worker. Returns the bodies without a report yet; they are not listed.
   */
  async #refreshClaims(
    bodies: Body[],
    found: Map<string, { taken: ClaimedWorker; spec: string }>,
  ): Promise<ReadonlySet<string>> {
    const lost = new Set(
      [...found.values()].filter(({ taken: claim }) => !claim.known).map(({ taken: claim }) => claim.body_id),
    );
    const silentBodies = bodies.filter(({ id, spec }) => lost.has(id) || (!found.has(id) && isWarm(spec)));
    const lookedUp = await this.#claimStore.lookUp(silentBodies.map(({ worker_id }) => worker_id));
    const now = this.#options.now();
    const unheard = new Map<string, number>();
    for (const [place, body] of silentBodies.entries()) {
      const { known, serving, beats } = lookedUp[place] ?? {};
      if (serving && (lost.has(body.id) || !known)) {
        const { worker_id, at } = serving;
        const takeover = { worker_id, at, made_for: body.worker_id, body_id: body.id, told: true };
        if (!lost.has(body.id)) await this.#claimStore.restore(takeover);
        found.set(body.id, {
          taken: { ...takeover, begun: true, known: false },
          spec: JSON.stringify(serving.spec),
        });
        this.#remember([takeover]);
      } else if (!known && !beats && body.state === 'running' && !found.has(body.id)) {
        const since = this.#silent.get(body.id) ?? now;
        unheard.set(body.id, since);
      }
    }
    this.#silent = unheard;
    return new Set([...unheard].filter(([, since]) => now - since < SILENT_MS).map(([id]) => id));
  }

  #remember(takeovers: Claim[]): void {
    for (const claim of takeovers) {
      this.#byBody.set(claim.body_id, claim);
      this.#byOrigin.set(claim.made_for, claim.worker_id);
    }
  }
}
