import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { farewellMs } from '../../src/model/worker/grace.ts';
import { Shutdown } from '../../worker-base/shutdown.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test.each([0.4, 1, 4, 10, 60])(
  'an agent has all of its grace of %s s before SIGKILL, not three quarters',
  (grace) => {
    const kill = vi.fn();
    const began = performance.now();
    const ending = new Shutdown(grace, { end: () => {}, kill });
    ending.begin('signal');
    vi.advanceTimersByTime(grace * 1000 - 1);
    expect(kill).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(kill).toHaveBeenCalledOnce();
    // What is left is the wrapper's own, and is over before the runtime ends all of the body.
    expect(ending.hardAt - began).toBeGreaterThanOrEqual(grace * 1000);
    expect(ending.hardAt - began).toBeLessThanOrEqual(Math.max(500, grace * 1000 + farewellMs(grace)));
  },
);
