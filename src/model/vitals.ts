/**
 * What the manager's checks of a living body tell. Durations are milliseconds of the manager's steady clock, counted
 * only while Redis and the engine answered, and only in this term; nothing of it is read back after a restart.
 */
export interface Vitals {
  /** Of one core, between the last two checks: 150 is one and a half. Absent after the first. */
  cpu_percent?: number | undefined;
  memory_bytes?: number | undefined;
  pids?: number | undefined;
  /** For how long its heartbeat has not changed. */
  quiet_ms: number;
  /** For how long it has used no CPU, or has failed its health check. */
  stuck_ms: number;
  /** The engine calls it unhealthy, or its node API takes a question and does not answer. */
  unhealthy?: boolean | undefined;
}

/** One body's figures as they are kept for people, for a few checks at most. */
export interface Figures {
  cpu_percent?: number | undefined;
  memory_bytes?: number | undefined;
  pids?: number | undefined;
  /** When they were taken. */
  at: string;
}
