/** Which lines of a tool's output explain its failure, with real output of the tools. */
import { expect, test } from 'vitest';
import { findBuildCause } from '../../src/images/build-cause.ts';

const retry = (left: number) =>
  `WARNING: Retrying (Retry(total=${left}, connect=None)) after connection broken by 'NewConnectionError: [Errno -3] Temporary failure in name resolution': /simple/six/`;

test('pip without a network: the reason once, and the failed requirement', () => {
  expect(
    findBuildCause([
      'Looking in indexes: https://pypi.example/simple',
      ...[4, 3, 2, 1, 0].map(retry),
      'ERROR: Could not find a version that satisfies the requirement six (from versions: none)',
      'ERROR: No matching distribution found for six',
    ]),
  ).toEqual([
    retry(0),
    'ERROR: Could not find a version that satisfies the requirement six (from versions: none)',
    'ERROR: No matching distribution found for six',
  ]);
});

test('apt without a network: its errors, without ignored and retried ones', () => {
  const source = 'http://deb.debian.org/debian bookworm InRelease';
  expect(
    findBuildCause([
      ...Array.from({ length: 30 }, () => `Ign:1 ${source}`),
      `Err:1 ${source}`,
      "  Temporary failure resolving 'deb.debian.org'",
      'Reading package lists...',
      `W: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  Temporary failure resolving 'deb.debian.org'`,
      'E: Unable to locate package jq',
    ]),
  ).toEqual([
    `Err:1 ${source}`,
    "  Temporary failure resolving 'deb.debian.org'",
    "W: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease  Temporary failure resolving 'deb.debian.org'",
    'E: Unable to locate package jq',
  ]);
});

test('npm: the errors, without its attempts and the path of its log', () => {
  expect(
    findBuildCause([
      'npm http fetch GET https://registry.example/droid attempt 1 failed with ENOTFOUND',
      'npm http fetch GET https://registry.example/droid attempt 2 failed with ENOTFOUND',
      'npm error code ENOTFOUND',
      'npm error network request to https://registry.example/droid failed, reason: getaddrinfo ENOTFOUND',
      'npm error A complete log of this run can be found in: /root/.npm/_logs/x.log',
    ]),
  ).toEqual([
    'npm http fetch GET https://registry.example/droid attempt 2 failed with ENOTFOUND',
    'npm error code ENOTFOUND',
    'npm error network request to https://registry.example/droid failed, reason: getaddrinfo ENOTFOUND',
  ]);
});

test('a compiler: the error with the lines that explain it', () => {
  const lines = [
    "a.c:1:25: error: 'x' undeclared",
    '    1 | int main() { return x; }',
    '      |                     ^',
  ];
  expect(findBuildCause(['building', ...lines])).toEqual(lines);
});

test('a long list of errors keeps its first and its last ones', () => {
  const cause = findBuildCause(Array.from({ length: 100 }, (_, at) => `error ${at}`));
  expect([cause.length, cause[0], cause.at(-1), cause.includes('…')]).toEqual([
    15,
    'error 0',
    'error 99',
    true,
  ]);
});

test('if no line looks like an error, the last lines are reported', () => {
  expect(findBuildCause(Array.from({ length: 40 }, (_, at) => `line ${at}`)).at(-1)).toBe('line 39');
  expect(findBuildCause([])).toEqual([]);
  expect(findBuildCause([retry(1), retry(0)])).toEqual([retry(0)]);
});
