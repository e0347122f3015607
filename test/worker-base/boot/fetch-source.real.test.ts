/** A workspace is filled from a repository once, completely or not at all, and its credential stays with the wrapper. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import type { GitSource } from '../../../src/model/worker/workspace.ts';
import { fetchSource } from '../../../worker-base/boot/fetch-source.ts';
import type { Privileges } from '../../../worker-base/sandbox/privileges.ts';
import { type GitServer, startGitServer } from '../../support/git-server.ts';
import { soon, TestWorker } from '../body.ts';

const TOKEN = 'very-secret-token';
const PASSWORD = `x-access-token:${TOKEN}`;
const MARKER = '.worker-manager-source';
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let server: GitServer;
let workspace: string;

beforeEach(async () => {
  server = await startGitServer({ password: PASSWORD });
  workspace = mkdtempSync(join(tmpdir(), 'wm-source-'));
});
afterEach(async () => {
  await server.close();
  rmSync(workspace, { recursive: true });
});

const fetch = (
  source: Partial<GitSource> = {},
  {
    credential = TOKEN,
    stop = new AbortController(),
  }: { credential?: string | undefined; stop?: AbortController } = {},
) =>
  fetchSource({
    source: { url: server.url, ...source },
    credential,
    privileges: { helperCommand: (argv: string[]) => argv } as Privileges,
    settings: { workspace, bodyId: undefined, inherited: { PATH: process.env.PATH ?? '' } },
    signal: stop.signal,
    log,
  });
const git = (...args: string[]) => execFileSync('git', args, { cwd: workspace, encoding: 'utf8' }).trim();
const file = () => readFileSync(join(workspace, 'file'), 'utf8');
const head = () => git('rev-parse', 'HEAD');

test('fetches the default branch, with its history and the address of the repository', async () => {
  expect(await fetch()).toBe(true);
  expect([file(), head(), git('branch', '--show-current')]).toEqual(['three', server.commits[2], 'main']);
  expect(git('rev-list', '--count', 'HEAD')).toBe('3');
  expect(git('remote', 'get-url', 'origin')).toBe(server.url);
  expect(git('status', '--porcelain')).toBe('');
  expect(readdirSync(workspace).sort()).toEqual(['.git', 'file']);
});

test.each([
  ['a branch', () => 'old/one', 'one'],
  ['a tag', () => 'v2', 'two'],
  ['a commit', () => server.commits[1] ?? '', 'two'],
])('fetches %s', async (_name, ref, content) => {
  expect(await fetch({ ref: ref(), depth: 1 })).toBe(true);
  expect([file(), git('status', '--porcelain'), git('rev-list', '--count', 'HEAD')]).toEqual([
    content,
    '',
    '1',
  ]);
});

test('leaves no trace of the credential or of the proxy', async () => {
  await fetch();
  expect([...server.credentials]).toEqual([`Basic ${Buffer.from(PASSWORD).toString('base64')}`]);
  const found = execFileSync(
    'sh',
    ['-c', 'grep -rlaE "$1" . || :', 'sh', `${TOKEN}|127.0.0.1:[0-9]+/[A-Za-z0-9_-]{20}`],
    {
      cwd: workspace,
      encoding: 'utf8',
    },
  );
  expect(found).toBe('');
});

test('keeps what a successor finds', async () => {
  await fetch();
  writeFileSync(join(workspace, 'file'), 'changed');
  rmSync(join(workspace, '.git'), { recursive: true });
  server.credentials.clear();
  expect(await fetch()).toBe(true);
  expect(file()).toBe('changed');
  expect(server.credentials.size).toBe(0);
});

test.each([
  ['a wrong credential', {}, { credential: 'wrong' }, /Authentication failed|could not read Username/],
  ['an unknown branch', { ref: 'nowhere' }, {}, /nowhere not found/],
  ['an unknown commit', { ref: 'd'.repeat(40) }, {}, /not our ref|unadvertised object/],
])('reports %s with the last lines of git', async (_name, source, more, words) => {
  const failed = fetch(source, more);
  await expect(failed).rejects.toThrow(words);
  await expect(failed).rejects.toMatchObject({ reason: 'WorkspaceSourceFailed', code: 69 });
  const message = await failed.catch((error: Error) => error.message);
  expect(message).toContain(server.url);
  expect(message).not.toMatch(/very-secret|\n/);
  // The next body tries again.
  expect(await fetch()).toBe(true);
  expect(file()).toBe('three');
});

test('reports a server that is away', async () => {
  await expect(fetch({ url: 'http://127.0.0.1:1/x' })).rejects.toThrow(
    /could not be reached|502|Bad Gateway/,
  );
});

test('an abort ends it, and a half fetch is never taken for a whole one', async () => {
  const stop = new AbortController();
  server.onRequest = (path) => {
    if (!path.includes('git-upload-pack')) return;
    stop.abort();
    return new Promise((resolve) => setTimeout(resolve, 200));
  };
  expect(await fetch({}, { stop })).toBe(false);
  expect(existsSync(join(workspace, MARKER))).toBe(true);
  server.onRequest = () => {};
  // As a fetch leaves it that is killed during the checkout.
  mkdirSync(join(workspace, '.git', 'objects'), { recursive: true });
  writeFileSync(join(workspace, 'file'), 'ha');
  writeFileSync(join(workspace, 'left'), '');
  expect(await fetch()).toBe(true);
  expect([file(), readdirSync(workspace).sort()]).toEqual(['three', ['.git', 'file']]);
});

test('kill -9 of the wrapper at any moment leaves an empty, a marked or a whole workspace', async () => {
  const open = await startGitServer();
  onTestFinished(() => open.close());
  const url = inject('redisUrl');
  const spec = { command_line: ['cat', 'file'], workspace: { source: { git: { url: open.url } } } };
  for (const ms of [0, 10, 20, 40, 60, 80, 120, 160]) {
    const worker = new TestWorker(url);
    try {
      await worker.declare(spec);
      const asked = new Promise<void>((resolve) => {
        open.onRequest = () => resolve();
      });
      const first = await worker.start({ redisUrl: url });
      await asked;
      await new Promise((resolve) => setTimeout(resolve, ms));
      first.process.kill('SIGKILL');
      await first.exit;
      // Its runtime ends what git has started.
      execFileSync('sh', [
        '-c',
        `for p in /proc/[0-9]*; do [ "$(readlink $p/cwd)" != "$1" ] || kill -9 "\${p#/proc/}"; done 2>/dev/null; :`,
        'sh',
        worker.workspace,
      ]);
      await worker.start({ redisUrl: url, incarnation: 2 });
      await expect.poll(() => worker.text(), soon).toMatch(/three/);
      expect(readdirSync(worker.workspace).sort(), `after ${ms} ms`).toEqual(['.git', 'file']);
    } finally {
      await worker.close();
    }
  }
}, 120_000);

test('a body that cannot fetch ends with the reason, in its output and for its manager', async () => {
  const url = inject('redisUrl');
  const worker = new TestWorker(url);
  onTestFinished(() => worker.close());
  await worker.declare({ command_line: ['cat'], workspace: { source: { git: { url: server.url } } } });
  const body = await worker.start({ redisUrl: url });
  expect(await body.exit).toBe(69);
  expect(await worker.untilType('exited')).toMatchObject({
    exit_code: 69,
    content: expect.stringContaining(`The workspace could not be fetched from ${server.url}: `),
  });
  const beat = JSON.parse((await worker.redis.get(worker.keys.heartbeat(worker.id))) ?? '{}');
  expect(beat).toMatchObject({ phase: 'ending', failure: 'WorkspaceSourceFailed' });
});
