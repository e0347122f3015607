import { setLongTimer } from './long-timer.ts';

/** Calls `fire` once, after at least `ms` milliseconds; the returned function cancels it. */
export type SetTimer = (ms: number, fire: () => void) => () => void;

/**
 * The clock of the queue and the lease. Never the wall clock, because a jump must neither delay a key nor
 * extend a lease.
 */
export const steadyClock = {
  now: (): number => performance.now(),
  monotonic: (): number => performance.now(),
  setTimer(ms: number, fire: () => void): () => void {
    return setLongTimer(fire, Math.ceil(ms)).cancel;
  },
};
