/** The context file: who may have written it, and that the token stays the same. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  contextPath,
  ensureToken,
  listContexts,
  readContextFile,
  writeContextFile,
} from '../../src/config/context-file.ts';

function newPath(): string {
  const home = mkdtempSync(join(tmpdir(), 'wm-context-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  return contextPath({ home, cell: 'default' });
}

test('a token is generated once, and kept where its user alone reads it', () => {
  const path = newPath();
  const token = ensureToken(path);
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
  writeContextFile(path, { url: 'http://127.0.0.1:1', token, token_generated: true, redis_url: 'redis://h' });
  expect(ensureToken(path)).toBe(token);
  expect(readContextFile(path)).toMatchObject({ url: 'http://127.0.0.1:1', redis_url: 'redis://h' });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(dirname(path))).toEqual(['default.json']);
});

test('the files of all cells are listed, without those that others could have written', () => {
  const path = newPath();
  const home = dirname(dirname(path));
  expect(listContexts(home)).toEqual([]);
  for (const cell of ['default', 'ci', 'open'])
    writeContextFile(contextPath({ home, cell }), { url: `http://${cell}` });
  chmodSync(contextPath({ home, cell: 'open' }), 0o666);
  expect(listContexts(home)).toEqual([
    { cell: 'ci', url: 'http://ci' },
    { cell: 'default', url: 'http://default' },
  ]);
});

test('a token that the operator has set is not taken for a generated one', () => {
  const path = newPath();
  writeContextFile(path, { token: 'of-the-operator', token_generated: false });
  expect(ensureToken(path)).not.toBe('of-the-operator');
});

test('a file that others could have written is not believed, and is replaced', () => {
  const path = newPath();
  const token = ensureToken(path);
  chmodSync(path, 0o622);
  expect(readContextFile(path)).toBe(undefined);
  expect(ensureToken(path)).not.toBe(token);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each<[string, (path: string) => unknown]>([
  ['a link', (path) => symlinkSync('/etc/hostname', path)],
  ['a pipe', (path) => execFileSync('mkfifo', [path])],
  ['no JSON', (path) => writeFileSync(path, '{"token":', { mode: 0o600 })],
  ['endless', (path) => writeFileSync(path, 'x'.repeat(70_000), { mode: 0o600 })],
  ['of other types', (path) => writeFileSync(path, '{"token": 7}', { mode: 0o600 })],
])('%s in its place is not a context, and the next start replaces it', (_, place) => {
  const path = newPath();
  ensureToken(path);
  rmSync(path);
  place(path);
  expect(readContextFile(path)).toBe(undefined);
  const token = ensureToken(path);
  expect(readContextFile(path)).toMatchObject({ token });
});

test('the error about a folder that cannot be made names the setting to change', () => {
  const file = newPath();
  ensureToken(file);
  expect(() => ensureToken(join(file, '.context', 'default.json'))).toThrow(/WORKER_MANAGER_HOME.*API_TOKEN/);
});
