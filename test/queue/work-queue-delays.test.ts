import { expect, test } from 'vitest';
import { createWorkQueue } from '../../src/queue/work-queue.ts';
import { FakeClock } from './fake-clock.ts';
import { startQueue } from './started-queue.ts';

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
  const { queue, clock, passes } = startQueue(100);
  for (let at = 50; at > 0; at -= 1) queue.addAfter(`k${at}`, at);
  expect(clock.pending).toBe(1);
  await clock.advance(50);
  expect(passes).toEqual(Array.from({ length: 50 }, (_, at) => `k${at + 1}`));
  expect(clock.pending).toBe(0);
});

test('a delay of ten years is respected', async () => {
  const { queue, clock, passes } = startQueue();
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
  const { queue, clock, passes } = startQueue(1, { backoffMaxMs: 500 });
  for (let n = 0; n < 2000; n += 1) queue.addRateLimited('b');
  queue.addRateLimited('a');
  await clock.advance(500);
  expect(passes).toContain('b');
});
