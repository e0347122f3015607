/** The versions of other programs that this program was tested with. */

/** From the oldest to the newest; a bound without a part allows each value of that part. */
interface TestedVersions {
  oldest: string;
  newest: string;
}

/** docs/engines.md says which tests ran against which version. */
export const TESTED = {
  Node: { oldest: '24', newest: '24' },
  Docker: { oldest: '20.10', newest: '28.5' },
  Redis: { oldest: '7.0', newest: '8.0' },
  Valkey: { oldest: '9.1', newest: '9.1' },
} as const satisfies Record<string, TestedVersions>;

/** What to know about a version: nothing if it is within the tested ones, or is not a version. Pure. */
export function versionAdvice(program: keyof typeof TESTED, version: string): string | undefined {
  const { oldest, newest } = TESTED[program];
  const tested = oldest === newest ? oldest : `${oldest} to ${newest}`;
  const order = compare(version, oldest) < 0 ? 'older' : compare(version, newest) > 0 ? 'newer' : undefined;
  return order && `This version is ${order} than the tested ones (${program} ${tested}).`;
}

/** By the parts that the bound has; 0 for what is not a version. */
function compare(version: string, bound: string): number {
  const parts = /^v?(\d+(?:\.\d+)*)/.exec(version)?.[1]?.split('.').map(Number);
  if (!parts) return 0;
  for (const [at, part] of bound.split('.').map(Number).entries()) {
    const difference = (parts[at] ?? 0) - part;
    if (difference !== 0) return difference;
  }
  return 0;
}
