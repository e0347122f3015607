/**
 * The loop over pools in one term of leadership: it decides when each pool is reconciled.
 *
 * Events (a command, a changed worker of the pool) and timers only add names to the queue. Invariant: a pool
 * that cannot be reconciled delays no other pool and no worker.
 */
import { errorMessage, type PoolStatus } from '../model/index.ts';
import { steadyClock } from '../queue/clock.ts';
import { createWorkQueue, type WorkQueue } from '../queue/work-queue.ts';
import { Fenced, type Findings, type PoolRead } from '../store/index.ts';
import { type PoolContext, reconcilePool } from './reconcile.ts';

/** Number of concurrent reconciles: a reconcile waits for Redis and computes little. */
const CONCURRENCY = 4;
/** Workers of a pool change one by one; one reconcile covers all changes within this time. */
const GATHER_MS = 50;
/** Claims within this time of each other are one burst; during it the pool boots no other warm workers. */
export const BURST_MS = 2000;

const LOST = (name: string) =>
  `The record of pool ${name} was lost; its workers keep running, and none is replaced. Apply the pool again, or delete its workers.`;

export interface PoolLoopOptions {
  context: Omit<PoolContext, 'onReconciled' | 'membersFound'>;
  findings: Pick<Findings, 'note' | 'clear'>;
  /** Rewrites the indexes of the records. */
  reindex: () => Promise<unknown>;
  /** Another manager leads: the term is over. */
  fenced: () => void;
}

export class PoolLoop {
  readonly queue: WorkQueue;
  readonly #options: PoolLoopOptions;
  readonly #context: PoolContext;
  /** The pool of each worker that this term has observed. */
  readonly #poolOf = new Map<string, string>();
  readonly #claimingUntil = new Map<string, number>();
  /** Pools whose list of workers existed in this term, or was rightly empty. */
  readonly #counted = new Set<string>();
  /** Pools that workers of this term name as theirs. */
  readonly #expected = new Set<string>();
  readonly #lastSeen = new Map<string, { status: PoolStatus; members: string[] }>();

  constructor(options: PoolLoopOptions) {
    this.#options = options;
    const { log } = options.context;
    this.queue = createWorkQueue({
      clock: steadyClock,
      onError: (pool, err) => log.error({ pool, err }, 'reconcile of a pool failed unexpectedly'),
    });
    const claimingUntil = (pool: string) => this.#claimingUntil.get(pool);
    this.#context = {
      ...options.context,
      claimingUntil,
      membersFound: (read) => this.#membersFound(read),
      onReconciled: (read, status) => this.#note(read, status),
    };
  }

  /** The pool's spec has changed. */
  enqueue(name: string): void {
    this.queue.add(name);
  }

  /** A worker of the pool has changed or is gone. */
  workerChanged(workerId: string, pool = this.#poolOf.get(workerId)): void {
    if (pool) this.queue.addAfter(pool, GATHER_MS);
  }

  /** One of its warm workers is being claimed. */
  bodyClaimed(workerId: string): void {
    const pool = this.#poolOf.get(workerId);
    const now = this.#context.now();
    // Later claims do not postpone it; otherwise a pool with constant claims would never be refilled.
    if (pool && now >= (this.#claimingUntil.get(pool) ?? 0)) this.#claimingUntil.set(pool, now + BURST_MS);
  }

  /** Enqueues all pools. */
  async enqueueAll(): Promise<void> {
    const { findings, reindex } = this.#options;
    const { pools } = this.#context;
    const names = await pools.names();
    const dropped = [...this.#lastSeen.keys()].filter((name) => !names.includes(name));
    // Deleted on purpose, or the list was lost and only the record has it.
    for (const name of dropped) if (await pools.record(name)) await reindex();
    const lost = await pools.lost(names);
    for (const name of names) if (!lost.includes(name)) findings.clear(`pool ${name}`);
    for (const name of [...names, ...dropped]) this.queue.add(name);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.queue.run((name) => this.#reconcile(name), CONCURRENCY, signal);
  }

  /** The pools as the last reconciles observed them, for the metrics. */
  statuses(): ReadonlyMap<string, { status: PoolStatus }> {
    return this.#lastSeen;
  }

  async #reconcile(name: string): Promise<void> {
    const { log } = this.#options.context;
    try {
      const outcome = await reconcilePool(name, this.#context);
      if (outcome.kind !== 'standby') this.queue.forget(name);
      if (outcome.kind === 'after') this.queue.addAfter(name, outcome.ms);
      if (outcome.kind === 'again') this.queue.add(name);
      if (outcome.kind === 'standby') this.queue.addRateLimited(name);
      if (outcome.kind === 'gone') {
        await this.#noteLost(name);
        this.#forget(name);
        this.#claimingUntil.delete(name);
      }
    } catch (error) {
      if (error instanceof Fenced) return this.#options.fenced();
      log.warn({ pool: name, why: errorMessage(error) }, 'reconcile of a pool failed; retrying');
      this.queue.addRateLimited(name);
    }
  }

  /** A pool that lost its list of workers would create them all again. Checked once if the list is empty. */
  async #membersFound({ name, members }: PoolRead): Promise<boolean> {
    const listed = this.#counted.has(name);
    this.#counted.add(name);
    if (members.length > 0 || (listed && !this.#lastSeen.get(name)?.members.length)) return false;
    const found = await this.#context.pools.findMembers(name);
    if (found > 0)
      this.#options.findings.note(
        `workers of pool ${name}`,
        `The list of the workers of pool ${name} was lost; ${found} workers were added again.`,
      );
    return found > 0;
  }

  /** The record is missing: the pool was deleted, or its record was lost but its workers were not. */
  async #noteLost(name: string): Promise<void> {
    const [lost] = await this.#context.pools.lost([name]);
    if (lost !== undefined) this.#options.findings.note(`pool ${name}`, LOST(name));
  }

  /** A worker of this pool exists. */
  expect(name: string): void {
    if (this.#expected.has(name)) return;
    this.#expected.add(name);
    this.queue.add(name);
  }

  #note({ name, members }: PoolRead, status: PoolStatus | undefined): void {
    this.#forget(name);
    const ids = members.map(({ id }) => id);
    for (const id of ids) this.#poolOf.set(id, name);
    if (status) this.#lastSeen.set(name, { status, members: ids });
  }

  #forget(name: string): void {
    for (const id of this.#lastSeen.get(name)?.members ?? []) this.#poolOf.delete(id);
    this.#lastSeen.delete(name);
  }
}
