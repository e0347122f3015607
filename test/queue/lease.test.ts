import { expect, test } from 'vitest';
import { settle } from './fake-clock.ts';

import { leaseWorld, TTL } from './lease-world.ts';

test('takes a free lease immediately and renews it after each third of its life', async () => {
  const { clock, store, manager } = leaseWorld();
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
  const { clock, store, manager } = leaseWorld();
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
  const { clock, store, manager } = leaseWorld();
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
  const { clock, store, manager } = leaseWorld();
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
  const { clock, store, manager } = leaseWorld();
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
  const { clock, store, manager } = leaseWorld();
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
  const { clock, store, manager } = leaseWorld();
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
  const { clock, store, manager } = leaseWorld();
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
  const { clock, store, manager } = leaseWorld();
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

test('a process that was stopped for longer than the life leads no more when it wakes, before any timer fires', async () => {
  const { clock, store, manager } = leaseWorld();
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
  const { clock, store, manager } = leaseWorld();
  const both = [manager('a'), manager('b')];
  for (const { lease } of both) lease.start();
  for (let round = 0; round < 200; round += 1) {
    store.down = round % 23 > 11;
    await clock.advance(700);
    expect(both.filter(({ lease }) => lease.held()).length).toBeLessThanOrEqual(1);
  }
  expect(store.epoch).toBeGreaterThan(1);
});
