/** Which of the lines of a failing build step say why it failed. Pure. */

/** Lines that a message holds at most: enough for the error of apt, npm, pip or gcc. */
const MOST = 15;

/** What the builder says of itself, and what apt, npm and pip say of their progress. */
const NOISE = [
  /^( ---> |Removing intermediate container |\[Warning\] One or more build-args)/,
  /^(Get|Hit|Ign):\d+ /,
  /^(Reading|Building|Selecting|Preparing to unpack|Unpacking|Setting up|Processing triggers|Fetched|\(Reading)\b/,
  /^(debconf: |The following |Suggested packages:|Recommended packages:|After this operation|Need to get )/,
  /^(Looking in indexes|Collecting |\s+Downloading |\s+Using cached |\[notice\]|WARNING: Running pip as the 'root')/,
  /A complete log of this run can be found in|^npm (notice|warn)\b/,
  /^\s*$/,
];
/** An attempt that is followed by another: the reason is in it, but all of them say the same. */
const RETRY = /\bretry(ing)?\b|\battempt (#)?\d+\b|\btrying again\b/i;
const ERROR =
  /\b(error|fatal|failed|failure|denied|refused|cannot|can't|could not|couldn't|unable to|not found|no such|no space left|killed|traceback|unknown option|invalid)\b|^(E|Err|npm ERR!?)[: ]|[A-Za-z]Error\b/i;

/**
 * The lines from the first error to the end, without progress, of retries the last one only; if nothing looks like an
 * error, the last lines of all.
 */
export function findBuildCause(lines: readonly string[]): string[] {
  const plain = lines.filter((line) => !NOISE.some((noise) => noise.test(line)));
  const lastRetry = plain.findLastIndex((line) => RETRY.test(line));
  const telling = plain.filter((line, at) => at === lastRetry || !RETRY.test(line));
  const first = telling.findIndex((line) => ERROR.test(line));
  const cause = first === -1 ? telling.slice(-MOST) : telling.slice(first);
  const unique = cause.filter((line, at) => cause.indexOf(line) === at);
  if (unique.length <= MOST) return unique;
  // The first error is the cause more often than what follows from it, and the end says what was given up.
  const half = Math.floor(MOST / 2);
  return [...unique.slice(0, half), '…', ...unique.slice(half + 1 - MOST)];
}
