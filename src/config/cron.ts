/** Computes the next time of a crontab expression. Pure. */
import { Cron } from 'croner';

/**
 * The next time after `after`, both in milliseconds since 1970, in this machine's time zone, as in cron. `undefined` if
 * there is none, such as for the 31st of February. Throws if the text is invalid.
 */
export function nextTime(cron: string, after: number): number | undefined {
  const pattern = /^[a-z]+$/.test(cron) ? `@${cron}` : cron;
  return new Cron(pattern, { paused: true }).nextRun(new Date(after))?.getTime();
}
