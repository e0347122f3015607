import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readFileVariables } from '../../src/config/file-variables.ts';

function file(content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'wm-file-variables-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'value');
  writeFileSync(path, content);
  return path;
}

test('the value of a variable comes from its file', () => {
  const env = { REDIS_URL_FILE: file('redis://manager:secret@redis:6379\n'), CELL: 'a' };
  expect(readFileVariables(env)).toEqual({ ...env, REDIS_URL: 'redis://manager:secret@redis:6379' });
  expect(
    readFileVariables({ WORKER_REDIS_URL_FILE: file('redis://a'), REDIS_URL: 'redis://b' }),
  ).toMatchObject({
    WORKER_REDIS_URL: 'redis://a',
    REDIS_URL: 'redis://b',
  });
});

test('an environment without such variables stays as it is', () => {
  const env = { REDIS_URL: 'redis://a', REDIS_URL_FILE: '', PATH: '/bin' };
  expect(readFileVariables(env)).toEqual(env);
});

test.each([
  [{ REDIS_URL_FILE: '/nowhere/url' }, /REDIS_URL_FILE is "\/nowhere\/url", which cannot be read: ENOENT/],
  [{ REDIS_URL_FILE: '/x', REDIS_URL: 'redis://a' }, /REDIS_URL_FILE is "\/x", which cannot be combined/],
])('%j is refused with its name', (env, message) => {
  expect(() => readFileVariables(env)).toThrow(message);
});

test('an empty file is refused', () => {
  expect(() => readFileVariables({ WORKER_REDIS_URL_FILE: file('\n') })).toThrow(
    /WORKER_REDIS_URL_FILE .* is an empty file/,
  );
});
