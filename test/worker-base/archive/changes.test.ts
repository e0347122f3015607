/** The changes of a workspace are complete, can be applied elsewhere, and leave the repository as it was. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
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
import { text } from 'node:stream/consumers';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { ChangesFormat } from '../../../src/model/worker/archive-format.ts';
import { readChanges } from '../../../worker-base/archive/changes.ts';
import type { AgentEnvironment } from '../../../worker-base/workload.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wm-changes-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
let workspace: string;
beforeEach(() => {
  workspace = newFolder();
});
const env = {
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};
const run = (cwd: string, ...argv: string[]) =>
  execFileSync(argv[0] ?? '', argv.slice(1), { cwd, env, encoding: 'utf8' }).trim();
const git = (...args: string[]) => run(workspace, 'git', ...args);
const write = (name: string, content: string | Buffer = `${name}\n`) =>
  writeFileSync(join(workspace, name), content);
const open = (format: ChangesFormat = 'patch', base = '', path = env.PATH) =>
  readChanges(
    {
      privileges: { runCommand: (argv: string[]) => argv, helperCommand: (argv: string[]) => argv },
      processOptions: () => ({ cwd: workspace, env: { ...env, PATH: path } }),
    } as unknown as AgentEnvironment,
    { base, format },
    undefined,
  );
const changes = async (...args: Parameters<typeof open>) => text(await open(...args));
const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('.worker-manager-'));

function repository(): string {
  git('init', '-q', '-b', 'main');
  write('one');
  write('two');
  write('.gitignore', 'ignored\n');
  git('add', '-A');
  git('commit', '-qm', 'first');
  return git('rev-parse', 'HEAD');
}

test('tracked, untracked, deleted and binary files are shown, and the repository is not changed', async () => {
  const first = repository();
  const copy = newFolder();
  run(copy, 'git', 'clone', '-q', workspace, '.');
  appendFileSync(join(workspace, 'one'), 'more\n');
  rmSync(join(workspace, 'two'));
  write('new file ü');
  write('binary', randomBytes(5000));
  write('ignored');
  write('script', '#!/bin/sh\n');
  chmodSync(join(workspace, 'script'), 0o755);
  // Staged by the agent, and then changed again.
  git('add', 'one');
  appendFileSync(join(workspace, 'one'), 'and more\n');
  const [status, objects] = [git('status', '--porcelain'), git('count-objects')];
  const before = leftovers();
  expect((await changes('names')).split('\n').filter(Boolean).sort()).toEqual([
    'A\tbinary',
    'A\tnew file ü',
    'A\tscript',
    'D\ttwo',
    'M\tone',
  ]);
  expect(await changes('stat')).toContain('5 files changed');
  const patch = await changes();
  writeFileSync(join(copy, 'patch'), patch);
  run(copy, 'git', 'apply', 'patch');
  rmSync(join(copy, 'patch'));
  for (const name of ['one', 'new file ü', 'binary', 'script'])
    expect(readFileSync(join(copy, name))).toEqual(readFileSync(join(workspace, name)));
  expect(existsSync(join(copy, 'two'))).toBe(false);
  expect([git('status', '--porcelain'), git('count-objects'), git('rev-parse', 'HEAD')]).toEqual([
    status,
    objects,
    first,
  ]);
  await expect.poll(leftovers).toEqual(before);
});

test('what was committed since the start is shown, or only what was not', async () => {
  const first = repository();
  write('three');
  git('add', '-A');
  git('commit', '-qm', 'second');
  write('four');
  expect(await changes('names', first)).toBe('A\tfour\nA\tthree\n');
  expect(await changes('names')).toBe('A\tfour\n');
  // A commit that is gone, for example because the agent has replaced the repository.
  expect(await changes('names', 'a'.repeat(40))).toBe('A\tfour\n');
  expect(await changes('patch', git('rev-parse', 'HEAD'))).toContain('+four');
});

test('without a repository all files are new, and a repository above does not count', async () => {
  git('init', '-q');
  const above = workspace;
  workspace = join(above, 'below');
  mkdirSync(workspace);
  write('file');
  expect(await changes('names')).toBe('A\tfile\n');
  expect(existsSync(join(workspace, '.git'))).toBe(false);
  await expect(open('bundle')).rejects.toMatchObject({ code: 'conflict' });
  rmSync(join(workspace, 'file'));
  expect(await changes()).toBe('');
  // A repository without a commit.
  git('init', '-q', '.');
  write('first');
  expect(await changes('names')).toBe('A\tfirst\n');
  await expect(open('bundle')).rejects.toMatchObject({ code: 'conflict' });
});

test('the repository is exported as a bundle', async () => {
  const first = repository();
  const { buffer } = await import('node:stream/consumers');
  const folder = newFolder();
  writeFileSync(join(folder, 'a.bundle'), await buffer(await open('bundle')));
  run(folder, 'git', 'clone', '-q', 'a.bundle', 'copy');
  expect(run(join(folder, 'copy'), 'git', 'rev-parse', 'HEAD')).toBe(first);
});

test('a worker without git, and a broken repository, are explained', async () => {
  write('file');
  const empty = newFolder();
  for (const name of ['mkdir', 'cat']) execFileSync('ln', ['-s', `/bin/${name}`, join(empty, name)]);
  await expect(open('patch', '', empty)).rejects.toMatchObject({
    code: 'unsupported',
    message: /module GIT/,
  });
  mkdirSync(join(workspace, '.git'));
  await expect(open()).rejects.toMatchObject({ code: 'conflict', message: /not a git repository/ });
});

test('a reader that leaves ends git', async () => {
  write('large', randomBytes(20_000_000));
  const stream = await open();
  stream.destroy();
  await expect
    .poll(() =>
      execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes('diff --cached --no-color'),
    )
    .toBe(false);
});
