import { setLongTimer } from './long-timer.ts';

/** Calls `fire` once, after at least `ms` milliseconds; the answer cancels it. */
export type SetTimer = (ms: number, fire: () => void) => () => void;

/**
 * Time as the queue and the lease measure it. Never the wall clock: that jumps, and a jump must neither hold back
 * a key nor stretch a lease.
 */
export const steadyClock = {
  now: (): number => performance.now(),
  monotonic: (): number => performance.now(),
  setTimer(ms: number, fire: () => void): () => void {
    return setLongTimer(fire, Math.ceil(ms)).cancel;
  },
};
