/**
 * Results of the manager's checks of a running body. Durations are milliseconds of the manager's monotonic clock,
 * counted only while Redis and the engine respond, and only in this term; they are not restored after a restart.
 */
export interface Vitals {
  /** CPU usage between the last two checks; 100 is one core. Absent after the first check. */
  cpu_percent?: number | undefined;
  memory_bytes?: number | undefined;
  pids?: number | undefined;
  /** How long the heartbeat has not changed. */
  quiet_ms: number;
  /** How long the body has used no CPU, or has failed its health check. */
  stuck_ms: number;
  /** The engine reports it as unhealthy, or its node API accepts a connection and does not respond. */
  unhealthy?: boolean | undefined;
}

/** The usage of one body, kept for display for a few checks at most. */
export interface UsageReading {
  cpu_percent?: number | undefined;
  memory_bytes?: number | undefined;
  pids?: number | undefined;
  /** When it was measured. */
  at: string;
}
