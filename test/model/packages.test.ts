/** What may be built into an image by its name, and what only looks like a name. */
import { expect, test } from 'vitest';
import { specFields } from '../../src/model/worker/spec.ts';

const requirements = (given: unknown) => specFields.requirements.safeParse(given);
const messageOf = ({ error }: ReturnType<typeof requirements>) => error?.issues[0]?.message ?? 'accepted';

test('the text of a requirements file is the list of its requirements', () => {
  const hash = `--hash=sha256:${'a'.repeat(64)}`;
  const text = `\uFEFF# made by pip-compile\r\nrequests[socks]>=2.31,<3 ; python_version < "3.13"  # http\r\n\r\nsix==1.17.0 \\\n    ${hash} \\\n    ${hash}\n  numpy\n`;
  expect(requirements(text).data).toEqual([
    'requests[socks]>=2.31,<3 ; python_version < "3.13"',
    `six==1.17.0  ${hash}  ${hash}`,
    'numpy',
  ]);
  expect(requirements(['six']).data).toEqual(['six']);
  expect(requirements('').data).toEqual([]);
});

test.each([
  'torch==2.4.0+cpu',
  'a @ https://files.example/a-1.0-py3-none-any.whl',
  'zope.interface!=5',
  'x~=1.0rc1',
  'A',
])('%s is a requirement', (line) => {
  expect(requirements([line]).data).toEqual([line]);
});

test.each([
  ['--index-url https://evil.example', 'is a pip option'],
  ['-r /etc/passwd', 'is a pip option'],
  ['-e git+https://x', 'is a pip option'],
  ['six --global-option=build', 'must be a requirement'],
  ['six -r /etc/passwd', 'must be a requirement'],
  ['six ; python_version > "3" --config-settings=a', 'must be a requirement'],
  ['six\n--index-url https://evil.example', 'must be one line'],
  ['six\u0000', 'must be one line'],
  ['./local', 'must start with the name'],
  ['/etc', 'must start with the name'],
  ['file:///etc/passwd', 'must be a requirement'],
  ['git+https://x/y', 'must be a requirement'],
  ['six; $(reboot)', 'must be a requirement'],
  ['six && reboot', 'must be a requirement'],
  ['six==${HOME}', 'must be a requirement'],
  ['a @ https://me:hunter2@files.example/a.whl', 'has credentials'],
  ['a @ file:///a.whl', 'must be a requirement'],
  ['', 'must start with the name'],
])('the requirement %j is refused', (line, why) => {
  expect(messageOf(requirements([line]))).toContain(why);
});

test('a line that would take a slow pattern long is answered at once', () => {
  const began = performance.now();
  for (const part of ['a', 'a.', '[a', ' ', '--hash=', '==']) requirements([part.repeat(4096 / part.length)]);
  expect(performance.now() - began).toBeLessThan(1000);
});

test.each(['jq', 'g++', 'libstdc++6', 'python3.11', 'libpq-dev', '7zip'])(
  '%s is a Debian package',
  (name) => {
    expect(specFields.packages.safeParse([name]).success).toBe(true);
  },
);

test.each([
  'zstd-',
  '-y',
  '--reinstall',
  'a b',
  'a;b',
  'jq=1.6',
  'jq/sid',
  'cur*',
  '^cur',
  'JQ',
  './a.deb',
  'a\nb',
  'jq:i386',
  '',
])('the package %j is refused', (name) => {
  expect(specFields.packages.safeParse([name]).success).toBe(false);
});
