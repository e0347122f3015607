import { newerFormatMessage } from '../../model/record-format.ts';

/** The result of one check. */
export interface HealthCheck {
  ok: boolean;
  /** One line for people. */
  message: string;
}

/**
 * The state of the components, as main collects it; pure data, so that the assessment below can be tested with a table.
 */
export interface HealthFacts {
  redis: HealthCheck;
  /** The runtimes in use, by name. */
  runtimes: Record<string, HealthCheck>;
  /** What is missing in the store. */
  findings?: readonly { about: string; message: string }[];
  /** Why Redis may lose data; `refused`: this manager must not lead with it. */
  hazards?: { message: string; refused: boolean } | undefined;
  /** The format of the records, if it is newer than what this manager reads: it cannot lead. */
  newerFormat?: number | undefined;
  leading: boolean;
  /** Number of bodies that the removal breaker protects from removal; 0 while it is closed. */
  heldBack: number;
  /** Seconds since the last activity of the loop. */
  loopQuietSeconds: number;
  /** Number of seconds after which the loop counts as stuck; several times its longest regular interval. */
  loopStuckSeconds: number;
}

export interface HealthReport {
  /** False only if a restart of the process may help: the loop is stuck. */
  live: boolean;
  /** The manager can lead or be on standby. */
  ready: boolean;
  checks: Record<string, HealthCheck>;
}

/** What an operator can do about an open breaker. */
const ALLOW = 'Check them, then restart the manager with a higher REMOVAL_BREAKER_SHARE to allow it.';

/** Assesses the state. A standby is as ready as a leader; one of several runtimes may be unavailable. */
export function createHealthReport(facts: HealthFacts): HealthReport {
  const {
    redis,
    runtimes,
    findings = [],
    hazards,
    newerFormat,
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
    ready: moves && redis.ok && someRuntime && !hazards?.refused && newerFormat === undefined,
    checks: {
      redis,
      ...Object.fromEntries(Object.entries(runtimes).map(([name, check]) => [`runtime_${name}`, check])),
      leadership: { ok: true, message: leading ? 'leader' : 'standby' },
      removal_breaker: {
        ok: heldBack === 0,
        message:
          heldBack === 0 ? 'closed' : `open: ${heldBack} bodies without a record are not removed. ${ALLOW}`,
      },
      ...(newerFormat !== undefined && {
        records: { ok: false, message: newerFormatMessage(newerFormat) },
      }),
      ...(hazards && { redis_settings: { ok: false, message: hazards.message } }),
      ...(findings.length > 0 && {
        store: { ok: false, message: findings.map(({ message }) => message).join(' ') },
      }),
      loop,
    },
  };
}
