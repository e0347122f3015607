/** Calls `fire` once, after at least `ms` milliseconds; the answer cancels it. */
export type SetTimer = (ms: number, fire: () => void) => () => void;

/** setTimeout takes a 32-bit number of milliseconds and fires at once beyond it, so a longer wait is cut here. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Time as the queue and the lease measure it. Never the wall clock: that jumps, and a jump must neither hold back
 * a key nor stretch a lease. A timer may fire early (a wait of weeks is cut), so whoever sets one looks again.
 */
export const steadyClock = {
  now: (): number => performance.now(),
  monotonic: (): number => performance.now(),
  setTimer(ms: number, fire: () => void): () => void {
    const timer = setTimeout(fire, Math.min(Math.max(Math.ceil(ms), 0), LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
