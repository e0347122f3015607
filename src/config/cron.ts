/** When something that is written as in a crontab comes next. Pure. */
import { Cron } from 'croner';

/**
 * The first such time after `after`, both in milliseconds since 1970; by the clock of this machine, as cron's.
 * `undefined` where there is none, as for the 31st of February. Throws on what is no such text.
 */
export function nextTime(cron: string, after: number): number | undefined {
  const pattern = /^[a-z]+$/.test(cron) ? `@${cron}` : cron;
  return new Cron(pattern, { paused: true }).nextRun(new Date(after))?.getTime();
}
