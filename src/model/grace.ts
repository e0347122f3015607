/** Share of the grace that a wrapper gets after it, and its most, in milliseconds. */
const FAREWELL_SHARE = 4;
const FAREWELL_MAX_MS = 2000;

/**
 * How long the wrapper lives on after its agent's `stop_grace_seconds`, to send the last output and say how it ended. The
 * agent has the whole grace; the body as a whole gets SIGKILL only after this, too.
 */
export const farewellMs = (graceSeconds: number): number =>
  Math.min(FAREWELL_MAX_MS, (graceSeconds * 1000) / FAREWELL_SHARE);
