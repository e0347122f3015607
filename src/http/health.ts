/** One thing that was looked at. */
export interface HealthCheck {
  ok: boolean;
  /** One line for people. */
  message: string;
}

/** What is known of the parts, as main gathers it; pure data, so that the judgement below can be tested as a table. */
export interface HealthFacts {
  redis: HealthCheck;
  /** The runtimes in use, by name. */
  runtimes: Record<string, HealthCheck>;
  /** What is missing in the store. */
  findings?: readonly { about: string; message: string }[];
  /** Why Redis may lose data; `refused`: this manager must not lead with it. */
  hazards?: { message: string; refused: boolean } | undefined;
  leading: boolean;
  /** Bodies that the removal breaker keeps from being removed; 0 while it is closed. */
  heldBack: number;
  /** Seconds since the loop last showed that it moves. */
  loopQuietSeconds: number;
  /** From how many seconds on it is taken for stuck: several times its slowest regular move. */
  loopStuckSeconds: number;
}

export interface HealthReport {
  /** False only where a restart of the process may help: the loop is stuck. */
  live: boolean;
  /** The manager can do its work, or stand by for it. */
  ready: boolean;
  checks: Record<string, HealthCheck>;
}

/** What an operator does about an open breaker. */
const ALLOW = 'Check them, then restart the manager with a higher REMOVAL_BREAKER_SHARE to allow it.';

/** Judges the facts. A standby is as ready as a leader; one runtime of several may be away. */
export function createHealthReport(facts: HealthFacts): HealthReport {
  const {
    redis,
    runtimes,
    findings = [],
    hazards,
    leading,
    heldBack,
    loopQuietSeconds,
    loopStuckSeconds,
  } = facts;
  const moves = loopQuietSeconds < loopStuckSeconds;
  const loop = {
    ok: moves,
    message: moves
      ? 'moving'
      : `has been blocked for ${Math.floor(loopQuietSeconds)} s; the limit is ${loopStuckSeconds} s`,
  };
  const someRuntime = Object.values(runtimes).some(({ ok }) => ok);
  return {
    live: moves,
    ready: moves && redis.ok && someRuntime && !hazards?.refused,
    checks: {
      redis,
      ...Object.fromEntries(Object.entries(runtimes).map(([name, check]) => [`runtime_${name}`, check])),
      leadership: { ok: true, message: leading ? 'leader' : 'standby' },
      removal_breaker: {
        ok: heldBack === 0,
        message:
          heldBack === 0 ? 'closed' : `open: ${heldBack} bodies without a record are not removed. ${ALLOW}`,
      },
      ...(hazards && { redis_settings: { ok: false, message: hazards.message } }),
      ...(findings.length > 0 && {
        store: { ok: false, message: findings.map(({ message }) => message).join(' ') },
      }),
      loop,
    },
  };
}
