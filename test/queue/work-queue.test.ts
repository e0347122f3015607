import { expect, test } from 'vitest';
import { createWorkQueue } from '../../src/queue/work-queue.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { startQueue } from './started-queue.ts';

test('a waiting key is reconciled once, in the order of the first add', async () => {
  const { queue, passes, finish } = startQueue(1);
  for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
  expect(queue.length).toBe(3);
  await settle();
  expect(passes).toEqual(['a']);
  await finish('a');
  await finish('b');
  await finish('c');
  expect(passes).toEqual(['a', 'b', 'c']);
  expect(queue.length).toBe(0);
});

test('add never runs the handler inside its caller', () => {
  const { queue, passes } = startQueue();
  queue.add('a');
  expect(passes).toEqual([]);
});

test('a key added during its reconcile is reconciled again afterwards, and only once', async () => {
  const { queue, passes, finish } = startQueue();
  queue.add('a');
  await settle();
  queue.add('a');
  queue.add('a');
  await settle();
  expect(passes).toEqual(['a']);
  await finish('a');
  expect(passes).toEqual(['a', 'a']);
  await finish('a');
  expect(passes).toEqual(['a', 'a']);
});

test('no more concurrent reconciles than configured', async () => {
  const { queue, passes, finish } = startQueue(2);
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
  await settle();
  expect(passes).toEqual(['a', 'b']);
  await finish('b');
  expect(passes).toEqual(['a', 'b', 'c']);
});

test('keys that wait before the runner starts are reconciled when it starts', async () => {
  const queue = createWorkQueue({ clock: new FakeClock() });
  const passes: string[] = [];
  queue.add('a');
  const stop = new AbortController();
  const running = queue.run(async (key) => void passes.push(key), 1, stop.signal);
  await settle();
  expect(passes).toEqual(['a']);
  stop.abort();
  await running;
});

test('thousands of keys are reconciled in order', async () => {
  const queue = createWorkQueue({ clock: new FakeClock() });
  const keys = Array.from({ length: 5000 }, (_, at) => `k${at}`);
  const passes: string[] = [];
  for (const key of keys) queue.add(key);
  const stop = new AbortController();
  const running = queue.run(async (key) => void passes.push(key), 16, stop.signal);
  await expect.poll(() => passes.length, { timeout: 10_000 }).toBe(keys.length);
  expect(passes).toEqual(keys);
  stop.abort();
  await running;
});

test('the error of one reconcile is reported, and the others continue', async () => {
  const { queue, passes, finish, errors } = startQueue(1);
  queue.add('a');
  queue.add('b');
  await settle();
  const thrown = new Error('broken');
  await finish('a', thrown);
  expect(errors).toEqual([['a', thrown]]);
  expect(passes).toEqual(['a', 'b']);
});

test('a handler that throws before its first await, and a callback that throws, stop nothing', async () => {
  const queue = createWorkQueue({
    clock: new FakeClock(),
    onError: () => {
      throw new Error('the reporter is broken too');
    },
  });
  const passes: string[] = [];
  void queue.run(
    (key) => {
      passes.push(key);
      throw new Error('at once');
    },
    1,
    new AbortController().signal,
  );
  for (const key of ['a', 'b']) queue.add(key);
  await settle();
  expect(passes).toEqual(['a', 'b']);
});

test('the error callback may add the key again', async () => {
  const clock = new FakeClock();
  const passes: number[] = [];
  const queue = createWorkQueue({ clock, backoffBaseMs: 10, onError: (key) => queue.addRateLimited(key) });
  void queue.run(
    async () => {
      passes.push(clock.now());
      if (passes.length < 3) throw new Error('not yet');
    },
    1,
    new AbortController().signal,
  );
  queue.add('a');
  await clock.advance(1000);
  expect(passes).toEqual([0, 10, 30]);
});

test('oldestSeconds counts from the first add, even while the key waits for its own reconcile', async () => {
  const { queue, clock, finish } = startQueue(1);
  expect(queue.oldestSeconds()).toBe(0);
  queue.add('a');
  await clock.advance(1000);
  expect(queue.oldestSeconds()).toBe(0);
  queue.add('a');
  await clock.advance(2000);
  queue.add('b');
  await clock.advance(500);
  expect(queue.oldestSeconds()).toBe(2.5);
  await finish('a');
  expect(queue.oldestSeconds()).toBe(2.5);
});

test('an abort starts nothing new and waits for running reconciles', async () => {
  const { queue, passes, finish, stop, running, ended } = startQueue(1);
  queue.add('a');
  queue.add('b');
  await settle();
  stop.abort();
  await settle();
  expect(ended()).toBe(false);
  await finish('a');
  await running;
  expect(passes).toEqual(['a']);
});

test('shutDown drops waiting keys, accepts no more and leaves no timer', async () => {
  const { queue, clock, passes, finish, running } = startQueue(1);
  queue.add('a');
  queue.add('b');
  queue.addAfter('c', 10);
  await settle();
  queue.add('a');
  queue.shutDown();
  expect(clock.pending).toBe(0);
  queue.add('d');
  queue.addAfter('e', 1);
  queue.addRateLimited('f');
  expect(queue.length).toBe(0);
  await finish('a');
  await running;
  await clock.advance(1000);
  expect(passes).toEqual(['a']);
  expect(clock.pending).toBe(0);
});

test('settled waits for the reconciles that run, not for those that wait', async () => {
  const { queue, finish } = startQueue(1);
  queue.add('a');
  queue.add('b');
  await settle();
  let over = false;
  const settled = queue.settled().then(() => {
    over = true;
  });
  await settle();
  expect(over).toBe(false);
  await finish('a');
  await settled;
});
