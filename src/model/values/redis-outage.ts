/** Errors of the Redis client that are not bugs of this program. Pure. */
import { errorMessage, Fault } from './fault.ts';

/** Redis did not respond; what was sent may have been executed. */
const SILENT = /^(Reached the max retries|Command timed out|Connection is closed|Stream isn't writeable)/;
/** Redis refuses what it accepts at other times: it has no memory or disk, is a replica, or loads its data. */
const REFUSED = /^(OOM|MISCONF|READONLY|LOADING|MASTERDOWN|NOREPLICAS|BUSY|CLUSTERDOWN|TRYAGAIN) /;

/** Whether an error says that Redis did not respond. */
export const isRedisSilent = (error: unknown): boolean => SILENT.test(errorMessage(error));

/** The Fault for an error that says that Redis cannot be used now; undefined for any other. */
export function toRedisFault(error: unknown): Fault | undefined {
  if (!(error instanceof Error) || error instanceof Fault) return undefined;
  const cause = error;
  if (isRedisSilent(error))
    return new Fault('unavailable', 'Redis does not respond. Try again later.', { cause });
  const { message } = error;
  if (!REFUSED.test(message)) return undefined;
  // Of an error in a script, the rest names the script.
  const why = message.replace(/\.?( script: .*)?$/s, '');
  return new Fault('unavailable', `Redis refuses this now (${why}). Try again later.`, { cause });
}
