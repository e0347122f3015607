/** The wrapper's extra time, as a share of the grace period and as a maximum in milliseconds. */
const FAREWELL_SHARE = 4;
const FAREWELL_MAX_MS = 2000;

/**
 * How long the wrapper keeps running after its agent's `stop_grace_seconds`, to send the last output and report the
 * exit. The agent has the whole grace period; the body as a whole gets SIGKILL after both.
 */
export const farewellMs = (graceSeconds: number): number =>
  Math.min(FAREWELL_MAX_MS, (graceSeconds * 1000) / FAREWELL_SHARE);
