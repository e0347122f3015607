/**
 * A runtime in which a worker may use a body that was created for another: the same interface over the same
 * engine, which shows a claimed body as that of its current worker. For the loop, the only difference is the
 * phase in which such a worker starts.
 *
 * Invariants:
 * - A worker has at most one body, its own or the one that it claimed.
 * - A claimed body that its worker never reported from counts as not started. If it does not start, it is
 *   removed, and the worker gets a body of its own.
 * - If the state of a claim is unknown, the call throws; it never returns "not found" instead.
 *
 * Must not import the store: it receives the claims as a dependency.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Body, Claim, ClaimedWorker, WorkerSpec } from '../model/index.ts';
import { type ClaimStore, isWarm, toClaimedBody } from './claimed-body.ts';
import { ClaimRestorer, type FoundClaim } from './restore-claims.ts';
import { BodyConflict, type BodyOrder, type Runtime, RuntimeDown } from './runtime.ts';

export interface ClaimOptions {
  claimStore: ClaimStore;
  /** Returns the spec of a worker, from its record. */
  specOf: (workerId: string) => Promise<WorkerSpec | undefined>;
  now: () => number;
  /** Timeout in milliseconds of a wrapper that has been notified of its claim and does not start. */
  patienceMs?: number;
}

/** A wrapper starts within milliseconds; on the busiest machine that was measured, within a second. */
const PATIENCE_MS = 10_000;
const POLL_MS = 5;
/** The duration of a claim on a busy machine; the observation after it comes later. */
const FRESH_MS = 500;

export function withClaims(inner: Runtime, options: ClaimOptions): Runtime {
  return new ClaimingRuntime(inner, options);
}

class ClaimingRuntime implements Runtime {
  readonly #inner: Runtime;
  readonly #claimStore: ClaimStore;
  readonly #options: ClaimOptions;
  /** Claims by body and by original worker, for operations and events, which identify only those. */
  readonly #byBody = new Map<string, Claim>();
  readonly #byOrigin = new Map<string, string>();
  /** The last observation of unclaimed warm bodies without an event since. */
  readonly #waiting = new Map<string, Body>();
  readonly #restorer: ClaimRestorer;

  constructor(inner: Runtime, options: ClaimOptions) {
    this.#inner = inner;
    this.#claimStore = options.claimStore;
    this.#options = options;
    this.#restorer = new ClaimRestorer(options.claimStore, options.now);
  }

  get name() {
    return this.#inner.name;
  }

  async list(): Promise<Body[]> {
    const bodies = await this.#inner.list();
    const found = new Map<string, FoundClaim>();
    // Read claims after the list, so that a body claimed in between is known, and listed under its original
    // worker.
    const all = await this.#claimStore.all();
    for (const claim of all) found.set(claim.body_id, { taken: claim, spec: '' });
    const { restored, silent } = await this.#restorer.restore(bodies, found);
    this.#remember(restored);
    this.#remember(all);
    return bodies
      .filter(({ id }) => !silent.has(id))
      .map((body) => {
        const { taken: claim, spec } = found.get(body.id) ?? {};
        return claim ? toClaimedBody(body, claim, spec ?? '') : body;
      });
  }

  async find(workerId: string, knownId: string | undefined): Promise<Body[]> {
    // If no warm body is waiting, most workers have a body of their own and must not wait for this read.
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
  connect = (bodyId: string) => this.#inner.connect(bodyId);
  limit = (bodyId: string, spec: WorkerSpec) => this.#inner.limit(bodyId, spec);
  listWorkspaces = () => this.#inner.listWorkspaces();
  removeWorkspace = (id: string) => this.#inner.removeWorkspace(id);
  usage = (bodyId: string) => this.#inner.usage(bodyId);
  close = () => this.#inner.close();
  dismantle = () => this.#inner.dismantle();

  /**
   * The body of a worker that has just started in it, without a call to the engine: its wrapper reported a
   * moment ago, and no event has reported its end. Only used right after the claim; later observations call
   * the engine.
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

  /** Applies the limits of its new worker to the body; false if they cannot be applied. */
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

  /** Whether the wrapper reports its new worker before it times out or its body ends. */
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

  /** The body did not start for its worker, so the worker gets one of its own. */
  async #discard(claim: Claim): Promise<void> {
    await this.#inner.remove(claim.body_id);
    // It started anyway, so it was the worker's body, and its end is reported as such.
    if ((await this.#claimStore.get(claim.worker_id))?.begun) return;
    await this.#claimStore.drop(claim.worker_id);
    this.#byBody.delete(claim.body_id);
    this.#byOrigin.delete(claim.made_for);
  }

  #remember(takeovers: Claim[]): void {
    for (const claim of takeovers) {
      this.#byBody.set(claim.body_id, claim);
      this.#byOrigin.set(claim.made_for, claim.worker_id);
    }
  }
}
