/** Distinguishes a hung main loop from a busy one by the heartbeats that it counts while it runs. */

/** How often the detector looks, and the main loop beats. */
export const TICK_MS = 2000;
/**
 * A main loop that is silent for so long is hung: three periods of the kubelet's default liveness probe. Anything
 * that the manager does on purpose is bounded to far less.
 */
export const HANG_MS = 30_000;

export interface HangDetector {
  /** To be called about every TICK_MS. */
  tick(): void;
  /** How long the main loop has been silent, in milliseconds. */
  quietMs(): number;
  hung(): boolean;
}

/** `now` is a steady clock in milliseconds. */
export function createHangDetector(options: {
  beats: () => bigint;
  now: () => number;
  hangMs?: number;
}): HangDetector {
  const { beats, now, hangMs = HANG_MS } = options;
  let last = beats();
  let lookedAt = now();
  let quiet = 0;
  const tick = () => {
    const [seen, at] = [beats(), now()];
    // A process that was stopped, or a machine that slept, held back this thread as well: that time proves nothing.
    quiet = seen === last ? quiet + Math.min(at - lookedAt, 2 * TICK_MS) : 0;
    [last, lookedAt] = [seen, at];
  };
  return { tick, quietMs: () => quiet, hung: () => quiet >= hangMs };
}
