/** Finds the lines of a failed build step that explain the failure. Pure. */

/** Maximum lines in a message: enough for an error of apt, npm, pip or gcc. */
const MOST = 15;

/** The builder's own messages, and the progress output of apt, npm and pip. */
const NOISE = [
  /^( ---> |Removing intermediate container |\[Warning\] One or more build-args)/,
  /^(Get|Hit|Ign):\d+ /,
  /^(Reading|Building|Selecting|Preparing to unpack|Unpacking|Setting up|Processing triggers|Fetched|\(Reading)\b/,
  /^(debconf: |The following |Suggested packages:|Recommended packages:|After this operation|Need to get )/,
  /^(Looking in indexes|Collecting |\s+Downloading |\s+Using cached |\[notice\]|WARNING: Running pip as the 'root')/,
  /A complete log of this run can be found in|^npm (notice|warn)\b/,
  /^\s*$/,
];
/** A failed attempt that will be retried: it contains the reason, but all attempts repeat it. */
const RETRY = /\bretry(ing)?\b|\battempt (#)?\d+\b|\btrying again\b/i;
const ERROR =
  /\b(error|fatal|failed|failure|denied|refused|cannot|can't|could not|couldn't|unable to|not found|no such|no space left|killed|traceback|unknown option|invalid)\b|^(E|Err|npm ERR!?)[: ]|[A-Za-z]Error\b/i;

/**
 * Returns the lines from the first error to the end, without progress output and with only the last of
 * several retries. If no line looks like an error, returns the last lines.
 */
export function findBuildCause(lines: readonly string[]): string[] {
  const plain = lines.filter((line) => !NOISE.some((noise) => noise.test(line)));
  const lastRetry = plain.findLastIndex((line) => RETRY.test(line));
  const telling = plain.filter((line, at) => at === lastRetry || !RETRY.test(line));
  const first = telling.findIndex((line) => ERROR.test(line));
  const cause = first === -1 ? telling.slice(-MOST) : telling.slice(first);
  const unique = cause.filter((line, at) => cause.indexOf(line) === at);
  if (unique.length <= MOST) return unique;
  // The first error is usually the cause, and the end shows what failed as a result.
  const half = Math.floor(MOST / 2);
  return [...unique.slice(0, half), '…', ...unique.slice(half + 1 - MOST)];
}
