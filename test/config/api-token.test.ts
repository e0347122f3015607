import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { resolveApiToken } from '../../src/config/api-token.ts';

function fileWith(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'api-token-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'token');
  writeFileSync(file, content);
  return file;
}
const read = (apiTokenFile?: string, apiToken?: string, httpHost = '127.0.0.1') =>
  resolveApiToken({ apiToken, apiTokenFile, httpHost }, () => 'kept');

test('it is the variable, or what the file holds, or the one that is kept', () => {
  expect(read()).toBe('kept');
  expect(read(undefined, 'of-the-variable')).toBe('of-the-variable');
  expect(read(fileWith('of-the-file\n'))).toBe('of-the-file');
});

test.each([
  ['empty', ''],
  ['too short', 'short\n'],
  ['of two lines', 'first-line\nsecond-line\n'],
])('a file that is %s stops the start, and is not printed', (_, content) => {
  const file = fileWith(content);
  const refused = `API_TOKEN_FILE is ${file}, whose content is not 8 to 512 printable characters without spaces.`;
  expect(() => read(file)).toThrow(refused);
  if (content) expect(() => read(file)).not.toThrow(content.trim());
});

test('a file that is not there stops the start', () => {
  expect(() => read('/no/such/token')).toThrow(
    /^API_TOKEN_FILE is \/no\/such\/token, which cannot be read: ENOENT/,
  );
});

// The manager started silently, and a command without a token ran.
test.each(['0.0.0.0', '::', '192.168.1.7', 'manager.example.com'])(
  'an API on %s, which others may reach, does not start without a token of the operator',
  (host) => {
    expect(() => read(undefined, undefined, host)).toThrow(
      `HTTP_HOST is ${host}, which other machines can reach, and no token is set. Set API_TOKEN or API_TOKEN_FILE`,
    );
    expect(read(undefined, 'of-the-variable', host)).toBe('of-the-variable');
    expect(read(fileWith('of-the-file'), undefined, host)).toBe('of-the-file');
  },
);
