/** One thing that was looked at. */
export interface Check {
  ok: boolean;
  /** One line for people. */
  message: string;
}

/** What is known of the parts, as main gathers it; pure data, so that the judgement below can be tested as a table. */
export interface HealthFacts {
  redis: Check;
  /** The runtimes in use, by name. */
  runtimes: Record<string, Check>;
  leading: boolean;
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
  checks: Record<string, Check>;
}

/** Judges the facts. A standby is as ready as a leader; one runtime of several may be away. */
export function report(facts: HealthFacts): HealthReport {
  const { redis, runtimes, leading, loopQuietSeconds, loopStuckSeconds } = facts;
  const moves = loopQuietSeconds < loopStuckSeconds;
  const loop = {
    ok: moves,
    message: moves
      ? 'moving'
      : `has not moved for ${Math.floor(loopQuietSeconds)} s; ${loopStuckSeconds} s is too long`,
  };
  const someRuntime = Object.values(runtimes).some(({ ok }) => ok);
  return {
    live: moves,
    ready: moves && redis.ok && someRuntime,
    checks: {
      redis,
      ...Object.fromEntries(Object.entries(runtimes).map(([name, check]) => [`runtime_${name}`, check])),
      leadership: { ok: true, message: leading ? 'leader' : 'standby' },
      loop,
    },
  };
}
