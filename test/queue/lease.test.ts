import { expect, test } from 'vitest';
import { createLease, type LeaseStore } from '../../src/queue/lease.ts';
import { FakeClock, settle } from './fake-clock.ts';

const TTL = 9000;

/** A store that behaves like Redis: the lease ends by the store's own time, and the epoch only increases. */
class FakeStore implements LeaseStore {
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

function world() {
  const clock = new FakeClock();
  const store = new FakeStore(clock);
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

test('takes a free lease immediately and renews it after each third of its life', async () => {
  const { clock, store, manager } = world();
  const { lease, log } = manager('a');
  expect(lease.held()).toBe(false);
  lease.start();
  await settle();
  expect(log).toEqual(['acquired 1']);
  expect(lease.epoch()).toBe(1);
  for (let third = 0; third < 30; third += 1) {
    await clock.advance(TTL / 3);
    expect(lease.held()).toBe(true);
    expect(store.holder?.until).toBe(clock.now() + TTL);
  }
  expect(log).toEqual(['acquired 1']);
});

test('a standby leads within a life and a poll of the silent end of the leader, with a higher epoch', async () => {
  const { clock, store, manager } = world();
  store.holder = { owner: 'dead', epoch: 7, until: TTL };
  store.epoch = 7;
  const { lease, log } = manager('b');
  lease.start();
  await clock.advance(TTL - 1);
  expect(log).toEqual([]);
  expect(lease.epoch()).toBeUndefined();
  await clock.advance(1001);
  expect(log).toEqual(['acquired 8']);
});

test('after two thirds of the life no action starts; at its end the lease is lost, once', async () => {
  const { clock, store, manager } = world();
  const { lease, log, errors } = manager('a');
  lease.start();
  await settle();
  store.down = true;
  await clock.advance((TTL * 2) / 3 - 1);
  expect(lease.held()).toBe(true);
  await clock.advance(1);
  expect(lease.held()).toBe(false);
  expect(lease.epoch()).toBe(1);
  expect(log).toEqual(['acquired 1']);
  await clock.advance(TTL / 3 - 1);
  expect(log).toEqual(['acquired 1']);
  await clock.advance(1);
  expect(log).toEqual(['acquired 1', 'lost: the leader lease was not renewed for 9 s']);
  expect(lease.epoch()).toBeUndefined();
  expect(errors.length).toBeGreaterThan(3);
  await clock.advance(10 * TTL);
  expect(log).toHaveLength(2);
});

test('a store that is back in time keeps the term', async () => {
  const { clock, store, manager } = world();
  const { lease, log } = manager('a');
  lease.start();
  await settle();
  store.down = true;
  await clock.advance(7000);
  store.down = false;
  await clock.advance(1000);
  expect(lease.held()).toBe(true);
  await clock.advance(10 * TTL);
  expect(log).toEqual(['acquired 1']);
});

test('a rejected renewal loses the lease immediately, and it is requested again', async () => {
  const { clock, store, manager } = world();
  const { lease, log } = manager('a');
  lease.start();
  await settle();
  store.holder = undefined; // FLUSHALL
  await clock.advance(TTL / 3);
  expect(log).toEqual(['acquired 1', 'lost: another manager has the leader lease, or the store has lost it']);
  expect(lease.held()).toBe(false);
  await clock.advance(1000);
  expect(log.at(-1)).toBe('acquired 2');
});

test('a hanging store does not keep the lease alive, and its late reply does not restore it', async () => {
  const { clock, store, manager } = world();
  const { lease, log } = manager('a');
  lease.start();
  await settle();
  store.silent = true;
  await clock.advance(TTL);
  expect(log).toEqual(['acquired 1', 'lost: the leader lease was not renewed for 9 s']);
  await store.answer();
  expect(lease.held()).toBe(false);
  expect(lease.epoch()).toBeUndefined();
});

test('the life counts from before the call, however late its reply is', async () => {
  const { clock, store, manager } = world();
  const { lease } = manager('a');
  store.silent = true;
  lease.start();
  await clock.advance(2000);
  await store.answer();
  expect(lease.held()).toBe(true);
  store.down = true;
  await clock.advance((TTL * 2) / 3 - 2000);
  expect(lease.held()).toBe(false);
});

test('a renewed life counts from before the renewal, however late its reply is', async () => {
  const { clock, store, manager } = world();
  const { lease } = manager('a');
  lease.start();
  await settle();
  store.silent = true;
  await clock.advance(TTL / 3 + 2000);
  await store.answer();
  store.down = true;
  await clock.advance((TTL * 2) / 3 - 2001);
  expect(lease.held()).toBe(true);
  await clock.advance(1);
  expect(lease.held()).toBe(false);
});

test('a renewal of the last term that is answered in the next one does not touch its deadline', async () => {
  const { clock, store, manager } = world();
  const { lease, log } = manager('a');
  lease.start();
  await settle();
  store.down = true;
  await clock.advance(8000);
  store.down = false;
  store.silent = true;
  await clock.advance(1000);
  expect(log).toHaveLength(2);
  store.silent = false;
  store.holder = undefined; // FLUSHALL
  await clock.advance(1000);
  expect(log.at(-1)).toBe('acquired 2');
  const acquired = clock.now();
  await store.answer();
  store.down = true;
  await clock.advance(acquired + TTL - 1 - clock.now());
  expect(log.at(-1)).toBe('acquired 2');
  await clock.advance(1);
  expect(log).toHaveLength(4);
});

test('a lease whose winning reply arrives too late is released', async () => {
  const { clock, store, manager } = world();
  const { lease, log } = manager('a');
  store.silent = true;
  lease.start();
  await clock.advance(TTL / 3);
  expect(store.holder?.epoch).toBe(1);
  await store.answer();
  expect(store.holder).toBeUndefined();
  await clock.advance(1000);
  expect(log).toEqual(['acquired 2']);
});

test('a process that was stopped for longer than the life leads no more when it wakes, before any timer fires', async () => {
  const { clock, store, manager } = world();
  const a = manager('a');
  a.lease.start();
  await settle();
  clock.jump(TTL + 4000);
  expect(a.lease.held()).toBe(false);
  const b = manager('b');
  b.lease.start();
  await settle();
  expect(b.log).toEqual(['acquired 2']);
  await clock.advance(0);
  expect(a.log).toEqual(['acquired 1', 'lost: the leader lease was not renewed for 9 s']);
  expect(store.holder?.owner).toBe('b');
});

test('never two holders, whichever of them the store cuts off', async () => {
  const { clock, store, manager } = world();
  const both = [manager('a'), manager('b')];
  for (const { lease } of both) lease.start();
  for (let round = 0; round < 200; round += 1) {
    store.down = round % 23 > 11;
    await clock.advance(700);
    expect(both.filter(({ lease }) => lease.held()).length).toBeLessThanOrEqual(1);
  }
  expect(store.epoch).toBeGreaterThan(1);
});

test('release hands over immediately, without onLost, and leaves no timer', async () => {
  const { clock, store, manager } = world();
  const a = manager('a');
  a.lease.start();
  await settle();
  await a.lease.release();
  await a.lease.release();
  expect(a.lease.held()).toBe(false);
  expect(store.holder).toBeUndefined();
  expect(clock.pending).toBe(0);
  await clock.advance(TTL);
  expect(a.log).toEqual(['acquired 1']);
});

test('release during a request for the lease leaves no holder', async () => {
  const { clock, store, manager } = world();
  const { lease, log } = manager('a');
  store.silent = true;
  lease.start();
  await settle();
  const releasing = lease.release();
  await store.answer();
  await releasing;
  expect(store.holder).toBeUndefined();
  expect(log).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('release ends even if the store is down or hangs', async () => {
  for (const fault of ['down', 'silent'] as const) {
    const { clock, store, manager } = world();
    const { lease, errors } = manager('a');
    lease.start();
    await settle();
    store[fault] = true;
    const releasing = lease.release();
    await clock.advance(TTL / 3);
    await releasing;
    expect(errors).toHaveLength(1);
  }
});

test('callbacks that throw do not end the lease', async () => {
  const { clock, store } = world();
  const thrown: unknown[] = [];
  const fail = () => {
    throw new Error('broken callback');
  };
  const lease = createLease({
    store,
    owner: 'a',
    ttlMs: TTL,
    clock,
    onAcquired: fail,
    onLost: fail,
    onError: (error) => {
      thrown.push(error);
      throw error;
    },
  });
  lease.start();
  await clock.advance(5 * TTL);
  expect(lease.held()).toBe(true);
  expect(thrown).toHaveLength(1);
  store.holder = undefined;
  await clock.advance(5 * TTL);
  expect(lease.epoch()).toBe(2);
});

test('a released lease is taken at once by a notified standby, even if it is just asking', async () => {
  const clock = new FakeClock();
  const store = new FakeStore(clock);
  const acquired: string[] = [];
  const open = (owner: string) =>
    createLease({
      store,
      owner,
      ttlMs: TTL,
      clock,
      onAcquired: () => acquired.push(owner),
      onLost: () => {},
    });
  const [first, second, third] = [open('first'), open('second'), open('third')];
  first.start();
  await settle();
  second.start();
  await settle();
  await first.release();
  second.tryNow();
  await clock.advance(0);
  expect(acquired).toEqual(['first', 'second']);
  store.silent = true;
  third.start();
  await settle();
  store.holder = undefined;
  third.tryNow();
  await store.answer();
  await clock.advance(0);
  expect(acquired).toEqual(['first', 'second', 'third']);
});
