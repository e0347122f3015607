import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { apiTokenOf } from '../src/api-token.ts';

function fileWith(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'api-token-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'token');
  writeFileSync(file, content);
  return file;
}
const read = (apiTokenFile?: string, apiToken?: string) => apiTokenOf({ apiToken, apiTokenFile });

test('it is the variable, or what the file holds, or none', () => {
  expect(read()).toBe(undefined);
  expect(read(undefined, 'of-the-variable')).toBe('of-the-variable');
  expect(read(fileWith('of-the-file\n'))).toBe('of-the-file');
});

test.each([
  ['empty', ''],
  ['too short', 'short\n'],
  ['of two lines', 'first-line\nsecond-line\n'],
])('a file that is %s stops the start, and is not told', (_, content) => {
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
