import { expect, test } from 'vitest';
import { createWorkQueue, type WorkQueueOptions } from '../../src/queue/work-queue.ts';
import { FakeClock, settle } from './fake-clock.ts';

/** A queue with a handler that blocks each reconcile until the test ends it. */
function start(concurrency = 2, options: Partial<WorkQueueOptions> = {}) {
  const clock = new FakeClock();
  const errors: [string, unknown][] = [];
  const queue = createWorkQueue({ clock, onError: (key, thrown) => errors.push([key, thrown]), ...options });
  const passes: string[] = [];
  const open = new Map<string, { end: () => void; fail: (thrown: unknown) => void }>();
  const stop = new AbortController();
  let ended = false;
  const running = queue
    .run(
      (key) => {
        passes.push(key);
        return new Promise((end, fail) => open.set(key, { end, fail }));
      },
      concurrency,
      stop.signal,
    )
    .then(() => {
      ended = true;
    });
  const finish = async (key: string, thrown?: unknown) => {
    const pass = open.get(key);
    open.delete(key);
    if (thrown === undefined) pass?.end();
    else pass?.fail(thrown);
    await settle();
  };
  return { clock, queue, passes, finish, errors, stop, running, ended: () => ended };
}

test('a waiting key is reconciled once, in the order of the first add', async () => {
  const { queue, passes, finish } = start(1);
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
  const { queue, passes } = start();
  queue.add('a');
  expect(passes).toEqual([]);
});

test('a key added during its reconcile is reconciled again afterwards, and only once', async () => {
  const { queue, passes, finish } = start();
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
  const { queue, passes, finish } = start(2);
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

test.each<[string, [number, number][], number[]]>([
  ['a delay', [[0, 100]], [100]],
  ['the earlier of two wins', [[0, 100], [0, 30]], [30]], // biome-ignore format: a table
  ['a later one does not postpone', [[0, 100], [50, 100]], [100]], // biome-ignore format: a table
  ['after its time it can be delayed again', [[0, 10], [20, 10]], [10, 30]], // biome-ignore format: a table
  ['no delay is at once', [[0, 0]], [0]],
  ['a negative delay is at once', [[0, -5]], [0]],
  ['NaN is at once', [[0, Number.NaN]], [0]],
])('addAfter: %s', async (_, adds, expected) => {
  const clock = new FakeClock();
  const queue = createWorkQueue({ clock });
  const times: number[] = [];
  void queue.run(async () => void times.push(clock.now()), 1, new AbortController().signal);
  for (const [at, ms] of adds) {
    await clock.advance(at - clock.now());
    queue.addAfter('a', ms);
  }
  await clock.advance(1000);
  expect(times).toEqual(expected);
});

test('one timer serves all delayed keys, and none is left when they are reconciled', async () => {
  const { queue, clock, passes } = start(100);
  for (let at = 50; at > 0; at -= 1) queue.addAfter(`k${at}`, at);
  expect(clock.pending).toBe(1);
  await clock.advance(50);
  expect(passes).toEqual(Array.from({ length: 50 }, (_, at) => `k${at + 1}`));
  expect(clock.pending).toBe(0);
});

test('a delay of ten years is respected', async () => {
  const { queue, clock, passes } = start();
  const years = 3650 * 86_400_000;
  queue.addAfter('a', years);
  expect(clock.next).toBe(years);
  await clock.advance(years - 1);
  expect(passes).toEqual([]);
  await clock.advance(1);
  expect(passes).toEqual(['a']);
});

test('backoff doubles per key up to its cap, and `forget` ends it', async () => {
  const clock = new FakeClock();
  const queue = createWorkQueue({ clock, backoffBaseMs: 100, backoffMaxMs: 500 });
  const times: number[] = [];
  void queue.run(
    async (key) => void (key === 'a' && times.push(clock.now())),
    2,
    new AbortController().signal,
  );
  const wait = async () => {
    const before = clock.now();
    queue.addRateLimited('a');
    await clock.advance(1000);
    return (times.at(-1) ?? Number.NaN) - before;
  };
  const waits = [await wait(), await wait(), await wait(), await wait(), await wait()];
  expect(waits).toEqual([100, 200, 400, 500, 500]);
  expect(queue.retries('a')).toBe(5);
  expect(queue.retries('b')).toBe(0);
  queue.forget('a');
  expect(queue.retries('a')).toBe(0);
  expect(await wait()).toBe(100);
});

test('a thousand failures in a row still give the cap', async () => {
  const { queue, clock, passes } = start(1, { backoffMaxMs: 500 });
  for (let n = 0; n < 2000; n += 1) queue.addRateLimited('b');
  queue.addRateLimited('a');
  await clock.advance(500);
  expect(passes).toContain('b');
});

test('the error of one reconcile is reported, and the others continue', async () => {
  const { queue, passes, finish, errors } = start(1);
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
  const { queue, clock, finish } = start(1);
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
  const { queue, passes, finish, stop, running, ended } = start(1);
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
  const { queue, clock, passes, finish, running } = start(1);
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
  const { queue, finish } = start(1);
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
