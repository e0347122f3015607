import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { steadyClock } from '../../src/queue/clock.ts';
import { LONGEST_TIMER_MS, setLongTimer, timeoutSignal } from '../../src/queue/long-timer.ts';
import { Attempt } from '../../src/tasks/consumer/attempt.ts';
import { createRunTask } from '../../worker-base/tasks/task-runs.ts';

const DAY = 86_400_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

test.each([0, 1, 1000, LONGEST_TIMER_MS, LONGEST_TIMER_MS + 1, 365 * DAY])(
  'a wait of %i ms fires once, when it is over',
  (ms) => {
    const fire = vi.fn();
    setLongTimer(fire, ms);
    vi.advanceTimersByTime(Math.max(0, ms - 1));
    expect(fire).toHaveBeenCalledTimes(ms === 0 ? 1 : 0);
    vi.advanceTimersByTime(1);
    expect(fire).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(2 * LONGEST_TIMER_MS);
    expect(fire).toHaveBeenCalledTimes(1);
  },
);

test('a cancelled wait never fires, even after the first of its timers', () => {
  const fire = vi.fn();
  const { cancel } = setLongTimer(fire, 60 * DAY);
  vi.advanceTimersByTime(30 * DAY);
  cancel();
  vi.advanceTimersByTime(365 * DAY);
  expect(fire).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});

test('an infinite wait never fires', () => {
  const fire = vi.fn();
  const { cancel } = setLongTimer(fire, Number.POSITIVE_INFINITY);
  vi.advanceTimersByTime(3650 * DAY);
  expect(fire).not.toHaveBeenCalled();
  cancel();
});

test('a signal times out after a year as after a second', () => {
  const { signal } = timeoutSignal(365 * DAY);
  vi.advanceTimersByTime(365 * DAY - 1);
  expect(signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect((signal.reason as DOMException).name).toBe('TimeoutError');
});

test('the clock of queue and lease waits for the whole delay', () => {
  const fire = vi.fn();
  steadyClock.setTimer(30 * DAY, fire);
  vi.advanceTimersByTime(30 * DAY - 1);
  expect(fire).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(fire).toHaveBeenCalledTimes(1);
});

test('a task with a timeout of 60 days, and a max_job_time of 365, is not ended immediately', async () => {
  const held = Promise.withResolvers<unknown>();
  const run = createRunTask({
    call: () => held.promise,
    commands: {},
    maxSeconds: (365 * DAY) / 1000,
    changed: () => {},
    waits: { addWait: () => {} },
    durations: { measure: (promise: Promise<unknown>) => promise },
    log: { around: (_task: unknown, _signal: unknown, act: () => Promise<unknown>) => act() },
  } as unknown as Parameters<typeof createRunTask>[0]);
  const task = { payload: { function: 'f' }, timeout_seconds: (60 * DAY) / 1000 } as never;
  const outcome = new Attempt().run(task, run as never, () => {}, 1000);
  await vi.advanceTimersByTimeAsync(59 * DAY);
  held.resolve('done');
  await expect(outcome).resolves.toMatchObject({ kind: 'done', value: 'done' });
});
