import type { HealthReport } from '../http/listener/health.ts';
import type { HangDetector } from './hang.ts';

/**
 * The last report of the main thread, updated with the watchdog's own measurements, because a hung loop reports
 * nothing.
 */
export function watchedHealth(
  report: HealthReport,
  detector: Pick<HangDetector, 'quietMs' | 'hung'>,
): HealthReport {
  const seconds = Math.floor(detector.quietMs() / 1000);
  if (seconds < QUIET_SECONDS) return report;
  const why = detector.hung() ? 'it is hung' : 'it is busy; all other values are as old';
  const loop = { ok: !detector.hung(), message: `has been blocked for ${seconds} s: ${why}` };
  const checks = { ...report.checks, loop };
  return detector.hung() ? { live: false, ready: false, checks } : { ...report, checks };
}

/** A shorter block is not reported. */
const QUIET_SECONDS = 5;
