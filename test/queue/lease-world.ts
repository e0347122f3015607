import { createLease, type LeaseStore } from '../../src/queue/lease.ts';
import { FakeClock, settle } from './fake-clock.ts';

/** Lease time in milliseconds. */
export const TTL = 9000;

/** A store that behaves like Redis: the lease ends by the store's own time, and the epoch only increases. */
export class FakeLeaseStore implements LeaseStore {
  holder: { owner: string; epoch: number; until: number } | undefined;
  epoch = 0;
  /** Errors instead of answers; the call is not carried out. */
  down = false;
  /** Executes calls, but does not reply until `answer` is called. */
  silent = false;
  #held: (() => void)[] = [];
  readonly clock: FakeClock;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  async acquire(owner: string, ttlMs: number) {
    this.#check();
    const free = this.holder === undefined || this.clock.now() >= this.holder.until;
    if (free) this.holder = { owner, epoch: ++this.epoch, until: this.clock.now() + ttlMs };
    return this.#reply(free ? this.epoch : undefined);
  }

  async renew(owner: string, epoch: number, ttlMs: number) {
    this.#check();
    const kept = this.#isHeldBy(owner, epoch);
    if (kept && this.holder) this.holder.until = this.clock.now() + ttlMs;
    return this.#reply(kept);
  }

  async release(owner: string, epoch: number) {
    this.#check();
    if (this.#isHeldBy(owner, epoch)) this.holder = undefined;
    return this.#reply(undefined);
  }

  answer() {
    this.silent = false;
    for (const reply of this.#held.splice(0)) reply();
    return settle();
  }

  #isHeldBy(owner: string, epoch: number) {
    const { holder } = this;
    return holder?.owner === owner && holder.epoch === epoch && this.clock.now() < holder.until;
  }

  #check() {
    if (this.down) throw new Error('the store is down');
  }

  #reply<T>(value: T): Promise<T> {
    if (!this.silent) return Promise.resolve(value);
    return new Promise((resolve) => this.#held.push(() => resolve(value)));
  }
}

/** A clock, a store, and a function that makes managers with a lease. */
export function leaseWorld() {
  const clock = new FakeClock();
  const store = new FakeLeaseStore(clock);
  const manager = (owner: string) => {
    const log: string[] = [];
    const errors: unknown[] = [];
    const lease = createLease({
      store,
      owner,
      ttlMs: TTL,
      clock,
      onAcquired: (epoch) => log.push(`acquired ${epoch}`),
      onLost: (reason) => log.push(`lost: ${reason}`),
      onError: (thrown) => errors.push(thrown),
    });
    return { lease, log, errors };
  };
  return { clock, store, manager };
}
