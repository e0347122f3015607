import { expect, test } from 'vitest';
import { createLease } from '../../src/queue/lease.ts';
import { FakeClock, settle } from './fake-clock.ts';

import { FakeLeaseStore, leaseWorld, TTL } from './lease-world.ts';

test('a lease whose winning reply arrives too late is released', async () => {
  const { clock, store, manager } = leaseWorld();
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

test('release hands over immediately, without onLost, and leaves no timer', async () => {
  const { clock, store, manager } = leaseWorld();
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
  const { clock, store, manager } = leaseWorld();
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
    const { clock, store, manager } = leaseWorld();
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
  const { clock, store } = leaseWorld();
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
  const store = new FakeLeaseStore(clock);
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
