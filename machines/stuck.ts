/**
 * When a running body counts as hung. Pure, like the rest of this folder. This always requires two signals, because
 * silence alone proves nothing: an agent that compiles prints nothing, and a wrapper that lost Redis keeps working.
 * - Its task exceeds the limit that its own wrapper enforces, by enough time for the wrapper to have ended it; or
 * - its heartbeat has stopped, and the body is inactive: it uses no CPU, its engine reports it as unhealthy, or its
 *   node API accepts connections and does not respond.
 *
 * Time is measured by the wrapper's clock alone or by the manager's monotonic clock alone, so that clocks need not
 * agree.
 */
import { type Observation, parseInstant } from '../src/model/index.ts';

/**
 * Why this body, which is running and has been ready, is hung; `undefined` if it is not. A lost heartbeat has not
 * changed either.
 */
export function whyHung(observation: Observation): { reason: string; message: string } | undefined {
  const { heartbeat, vitals, limits } = observation;
  if (!vitals) return undefined;
  const bound = observation.desired.spec.max_job_time_seconds;
  const began = parseInstant(heartbeat?.job_started_at);
  if (bound !== undefined && began !== undefined) {
    // The wrapper's last report, and the time since then.
    const ran = (parseInstant(heartbeat?.at) ?? began) - began + vitals.quiet_ms;
    if (ran >= bound * 1000 + limits.hung_ms) {
      const message =
        `Its task has run for ${seconds(ran)} s; max_job_time_seconds is ${bound}, and its wrapper, ` +
        `whose last report is ${seconds(vitals.quiet_ms)} s old, has not ended it.`;
      return { reason: 'HungTask', message };
    }
  }
  if (vitals.quiet_ms < limits.hung_ms || vitals.stuck_ms < limits.hung_ms) return undefined;
  const how = vitals.unhealthy ? 'its health check fails' : 'it uses no CPU';
  const message =
    `Its heartbeat has not changed for ${seconds(vitals.quiet_ms)} s, and for ${seconds(vitals.stuck_ms)} s ` +
    `${how}.`;
  return { reason: 'HungBody', message };
}

const seconds = (ms: number) => Math.floor(ms / 1000);
