/**
 * Accumulates the checks of bodies. In memory, for one term: a new manager counts from zero, so that time
 * before its term is never a reason to end a body. Pure: the clock is a parameter.
 */
import type { ResourceUsage, Vitals } from '../model/index.ts';

/** One check of one body. */
export interface VitalsCheck {
  /** Milliseconds of a monotonic clock. */
  at: number;
  /** The heartbeat as stored in Redis; only compared. */
  beat: string | null;
  usage: ResourceUsage;
  /** The engine's own health check, or the result of the node API; false if there is neither. */
  unhealthy: boolean;
}

/**
 * The vitals after another check. `longest` limits how much one pause between two checks counts, because a suspended
 * manager did not observe anything.
 */
export function updateVitals(
  before: { check: VitalsCheck; vitals: Vitals } | undefined,
  check: VitalsCheck,
  longest: number,
): Vitals {
  const { usage, unhealthy } = check;
  const { memory_bytes, pids } = usage;
  const figures = { memory_bytes, pids, ...(unhealthy ? { unhealthy } : {}) };
  if (!before) return { ...figures, quiet_ms: 0, stuck_ms: 0 };
  const { check: last, vitals } = before;
  const passed = check.at - last.at;
  const counted = Math.min(passed, longest);
  const used = cpuSeconds(last.usage, usage);
  // Any difference counts: if child processes have ended, a sum over processes decreases, which is activity as
  // well.
  const still = used === 0;
  return {
    ...figures,
    cpu_percent:
      used === undefined || passed <= 0 ? undefined : Math.max(0, Math.round((used * 1e6) / passed) / 10),
    quiet_ms: check.beat === last.beat ? vitals.quiet_ms + counted : 0,
    stuck_ms: still || (unhealthy && last.unhealthy) ? vitals.stuck_ms + counted : 0,
  };
}

function cpuSeconds(before: ResourceUsage, now: ResourceUsage): number | undefined {
  if (before.cpu_seconds === undefined || now.cpu_seconds === undefined) return undefined;
  return now.cpu_seconds - before.cpu_seconds;
}
