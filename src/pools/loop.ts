/**
 * The loop over pools of one term of leadership: which pool is passed when.
 *
 * Hints (a command, a worker of the pool that changed) and time only add names to the queue. What must always hold:
 * a pool that cannot be passed holds up no other, and no worker.
 */
import { errorMessage, type PoolStatus } from '../model/index.ts';
import { steadyClock } from '../queue/clock.ts';
import { createWorkQueue, type WorkQueue } from '../queue/work-queue.ts';
import { Fenced, type Findings, type PoolRead } from '../store/index.ts';
import { type PoolContext, reconcilePool } from './reconcile.ts';

/** Pools that are passed at the same time: a pass waits for Redis and computes little. */
const CONCURRENCY = 4;
/** Workers of a pool change one by one: one pass sees all that did within this time. */
const GATHER_MS = 50;
/** Takeovers that follow one within this are one burst, and the pool boots no others meanwhile. */
export const BURST_MS = 2000;

const LOST = (name: string) =>
  `The record of pool ${name} was lost; its workers keep running, and none is replaced. Apply the pool again, or delete its workers.`;

export interface PoolLoopOptions {
  context: Omit<PoolContext, 'onReconciled' | 'membersFound'>;
  findings: Pick<Findings, 'note' | 'clear'>;
  /** Writes again what indexes the records. */
  reindex: () => Promise<unknown>;
  /** Another manager leads: the term is over. */
  fenced: () => void;
}

export class PoolLoop {
  readonly queue: WorkQueue;
  readonly #options: PoolLoopOptions;
  readonly #context: PoolContext;
  /** Whose a worker is, as far as this term has seen it. */
  readonly #poolOf = new Map<string, string>();
  readonly #claimingUntil = new Map<string, number>();
  /** Pools whose list of workers was there in this term, or had none to name. */
  readonly #counted = new Set<string>();
  /** Pools that workers of this term say they are of. */
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

  /** What is asked of the pool has changed. */
  enqueue(name: string): void {
    this.queue.add(name);
  }

  /** Something about a worker of a pool has changed, or it is gone. */
  workerChanged(workerId: string, pool = this.#poolOf.get(workerId)): void {
    if (pool) this.queue.addAfter(pool, GATHER_MS);
  }

  /** One of its warm workers is being taken over. */
  bodyClaimed(workerId: string): void {
    const pool = this.#poolOf.get(workerId);
    const now = this.#context.now();
    // Not put off by each that follows, or a pool that is asked all the time would never be filled again.
    if (pool && now >= (this.#claimingUntil.get(pool) ?? 0)) this.#claimingUntil.set(pool, now + BURST_MS);
  }

  /** Looks at all pools. */
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

  /** The pools as the last passes saw them, for the metrics. */
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

  /** A pool whose list of workers is lost would make as many again. Asked of an empty one once, and if it had some. */
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

  /** There is no record: the pool was deleted, or its record is lost while its workers are not. */
  async #noteLost(name: string): Promise<void> {
    const [lost] = await this.#context.pools.lost([name]);
    if (lost !== undefined) this.#options.findings.note(`pool ${name}`, LOST(name));
  }

  /** A worker of this pool is there. */
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
