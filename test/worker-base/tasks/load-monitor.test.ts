/** How fresh the figures of a task worker are, and when it takes nothing new. Time is played. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ResultTotals } from '../../../src/tasks/results.ts';
import { LoadMonitor } from '../../../worker-base/tasks/load-monitor.ts';
import type { TaskSettings } from '../../../worker-base/tasks/task-settings.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function world(own: Partial<TaskSettings> = {}, first: { cpu?: number; memory?: number } = {}) {
  const now = { cpu: 10, memory: 20, queued: 0, away: false, ...first };
  const asked = { counts: 0 };
  const results = { completed: 0, failed: 0, timeout: 0, cancelled: 0, lost: 0, unreadable: 0 };
  const totals = { results, completed: 0, failed: 0, retried: 0, fenced: 0, seconds: 0 };
  const stored: ResultTotals[] = [];
  const consumer = {
    paused: false,
    active: () => [],
    totals: () => totals,
    pause: () => {
      consumer.paused = true;
    },
    resume: () => {
      consumer.paused = false;
    },
  };
  const queue = {
    counts: () => {
      asked.counts += 1;
      return now.away ? new Promise<never>(() => {}) : Promise.resolve({ queued: now.queued } as never);
    },
    addDurations: async () => {},
    addResults: async (more: ResultTotals) => {
      if (now.away) throw new Error('Redis is away');
      stored.push(more);
    },
  };
  const read = () => ({ cpuPercent: now.cpu, memoryPercent: now.memory });
  const meter = new LoadMonitor({
    own: { slots: 1, checkMs: 30_000, maxCpuPercent: 90, maxMemoryPercent: 85, ...own },
    consumer,
    queue,
    durations: { take: () => undefined },
    waits: { take: () => undefined },
    heartbeat: { load: () => ({}), changed: () => {} },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    meter: () => ({ read, own: true, cores: 2, memoryBytes: 1 }),
  });
  meter.start();
  return { meter, now, asked, consumer, results, stored };
}

test('the queue is counted when its length is requested, not every HEALTH_CHECK_INTERVAL', async () => {
  const { meter, now } = world();
  await vi.advanceTimersByTimeAsync(1000);
  now.queued = 10;
  expect(await meter.queueSize()).toBe(10);
});

test('a flood of requests shares a count', async () => {
  const { meter, asked } = world();
  await vi.advanceTimersByTimeAsync(1000);
  asked.counts = 0;
  await Promise.all(Array.from({ length: 100 }, () => meter.queueSize()));
  expect(asked.counts).toBe(1);
});

test('while Redis is away the last count is reported within a second', async () => {
  const { meter, now } = world();
  now.queued = 3;
  await vi.advanceTimersByTimeAsync(6000);
  now.away = true;
  const answer = meter.queueSize();
  await vi.advanceTimersByTimeAsync(999);
  expect(await answer).toBe(3);
});

test('CPU and memory are a second old at most', async () => {
  const { meter, now } = world();
  now.cpu = 55;
  now.memory = 66;
  await vi.advanceTimersByTimeAsync(1000);
  expect(meter.vitals).toEqual({ cpuPercent: 55, memoryPercent: 66 });
});

test('the limits are checked at HEALTH_CHECK_INTERVAL, and each second while it is above them', async () => {
  const { now, consumer } = world();
  now.cpu = 95;
  await vi.advanceTimersByTimeAsync(28_000);
  expect(consumer.paused).toBe(false);
  await vi.advanceTimersByTimeAsync(2000);
  expect(consumer.paused).toBe(true);
  now.cpu = 20;
  await vi.advanceTimersByTimeAsync(1000);
  expect(consumer.paused).toBe(false);
});

test.each([
  ['the CPU of its own start pauses no worker', 100, 20, false],
  ['a memory that is full at the start does', 0, 90, true],
])('%s', (_, cpu, memory, paused) => {
  expect(world({}, { cpu, memory }).consumer.paused).toBe(paused);
});

test('without limits it never pauses', async () => {
  const { now, consumer } = world({ maxCpuPercent: undefined, maxMemoryPercent: undefined });
  Object.assign(now, { cpu: 100, memory: 100 });
  await vi.advanceTimersByTimeAsync(90_000);
  expect(consumer.paused).toBe(false);
});

// Nothing distinguished failed tasks from completed ones.
test('what has ended is added to the sums of the pool once, also after Redis was away', async () => {
  const { meter, now, results, stored } = world();
  Object.assign(results, { completed: 3, timeout: 1 });
  now.away = true;
  await meter.report();
  expect(stored).toEqual([]);
  now.away = false;
  await Promise.all([meter.report(), meter.report()]);
  results.completed = 5;
  await meter.report();
  const none = { failed: 0, cancelled: 0, lost: 0, unreadable: 0, oom_kills: 0 };
  expect(stored).toEqual([
    { ...none, completed: 3, timeout: 1 },
    { ...none, completed: 2, timeout: 0 },
  ]);
});
