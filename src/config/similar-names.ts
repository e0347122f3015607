/** Variables of the environment that are not settings, but whose names resemble one: most likely a slip. Pure. */
import type { Environment } from './variable.ts';

/** What people put before the names of a program's settings. */
const PREFIX = /^(WORKER_MANAGER|WM)_/;
/** Below these lengths, other programs' names resemble ours by chance: SHELL and CELL. */
const SHORT = 7;
const LONG = 12;

/** The names in the environment that resemble one of the known ones, each with the one that it resembles most. */
export function findSimilarNames(
  env: Environment,
  known: readonly string[],
): { name: string; like: string }[] {
  return Object.keys(env)
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const like = findSimilar(name, known);
      return like === undefined ? [] : [{ name, like }];
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function findSimilar(name: string, known: readonly string[]): string | undefined {
  const bare = plain(name.replace(PREFIX, ''));
  const ranked = known
    .map((like) => ({ like, steps: bare === plain(like) ? 0 : countSteps(plain(name), plain(like)) }))
    .sort((one, other) => one.steps - other.steps);
  const [first] = ranked;
  const mostSteps = bare.length < SHORT ? 0 : bare.length < LONG ? 1 : 2;
  if (first && first.steps <= mostSteps) return first.like;
  // CHECKPOINT_DIRECTORY, but not DOCKER_HOST_NAME: a further word makes another name.
  return known.find((like) => like.length > LONG && name.startsWith(like) && !name.startsWith(`${like}_`));
}

const plain = (name: string) => name.toUpperCase().replaceAll('_', '');

/** The least number of letters that are added, removed, replaced or exchanged with their neighbour. */
function countSteps(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, at) => at)];
  const get = (row: number, at: number) => rows[row]?.[at] ?? 0;
  for (let i = 1; i <= one.length; i += 1) {
    rows.push([i]);
    for (let j = 1; j <= other.length; j += 1) {
      const differs = one[i - 1] === other[j - 1] ? 0 : 1;
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const least = Math.min(get(i - 1, j) + 1, get(i, j - 1) + 1, get(i - 1, j - 1) + differs);
      rows[i]?.push(isSwap ? Math.min(least, get(i - 2, j - 2) + 1) : least);
    }
  }
  return get(one.length, other.length);
}
