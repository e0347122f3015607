import type { Limits } from '../model/index.ts';
import type { Settings } from './settings.ts';

/** A heartbeat is renewed every 5 s; six missed ones are reported. */
const HEARTBEAT_SILENT_MS = 30_000;
/** A hung body must appear hung for two checks and for three heartbeats. */
const HUNG_MIN_MS = 15_000;
/** The kubelet resets a container's backoff after 10 minutes of running. */
const BACKOFF_RESET_MS = 600_000;

/** The limits with which a manager with these settings decides. */
export function getLimits(settings: Settings): Limits {
  return {
    backoff_base_ms: settings.restartBackoffSeconds * 1000,
    backoff_max_ms: settings.restartBackoffMaxSeconds * 1000,
    backoff_reset_ms: BACKOFF_RESET_MS,
    heartbeat_silent_ms: HEARTBEAT_SILENT_MS,
    hung_ms: Math.max(HUNG_MIN_MS, 2 * settings.healthCheckSeconds * 1000),
  };
}
