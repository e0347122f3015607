/** Distinguishes a hung main loop from a busy one by the heartbeats that it counts while it runs. */

/** Interval of the detector's checks, and of the main loop's heartbeats. */
export const TICK_MS = 2000;
/**
 * A main loop without a heartbeat for this time is hung: three periods of the kubelet's default liveness probe. All
 * intentional work of the manager is limited to far less.
 */
export const HANG_MS = 30_000;

export interface HangDetector {
  /** Must be called about every TICK_MS. */
  tick(): void;
  /** Time since the main loop's last heartbeat, in milliseconds. */
  quietMs(): number;
  hung(): boolean;
}

/** `now` is a monotonic clock in milliseconds. */
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
    // A stopped process or a suspended machine stopped this thread as well, so that time proves nothing.
    quiet = seen === last ? quiet + Math.min(at - lookedAt, 2 * TICK_MS) : 0;
    [last, lookedAt] = [seen, at];
  };
  return { tick, quietMs: () => quiet, hung: () => quiet >= hangMs };
}
