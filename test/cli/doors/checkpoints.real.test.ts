/** `wm checkpoint`, `checkpoints`, `fork`, `changes` and `export`, with workers without an engine. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connect, type WorkerHandle } from '../../../src/client/index.ts';
import { cleanCell, type Manager, newCell, startManager } from '../../support/manager.ts';
import { wmOf } from '../wm.ts';

const LONG = 120_000;
const redisUrl = inject('redisUrl');
const cell = newCell();
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
let manager: Manager;
let worker: WorkerHandle;
let wm: (...args: string[]) => ReturnType<typeof start>['done'];
const { start } = wmOf({ redisUrl, cell, home });
const sh = (ref: string, command: string) => wm('exec', ref, '--', 'sh', '-c', command);
const ok = async (...args: string[]) => {
  const { code, out, err } = await wm(...args);
  expect([code, err]).toEqual([0, '']);
  return out;
};

beforeAll(async () => {
  manager = await startManager({ redisUrl, cell, home });
  const { url, token } = manager;
  wm = (...args) => start(args, undefined, { WM_URL: url, WM_TOKEN: token }).done;
  worker = await connect({ url, token }).workers.create(
    { agent_type: 'CUSTOM', name: 'fix', command_line: ['sleep', '600'], labels: { team: 'blue' } },
    { wait: 'ready' },
  );
}, LONG);
afterAll(async () => {
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
});

test('a worker is saved, listed, changed, exported and forked', { timeout: LONG }, async () => {
  const git = 'git -c user.name=a -c user.email=a@example.com';
  await sh(
    'fix',
    `git init -q && echo one > one && git add one && ${git} commit -qm first && echo two > two`,
  );
  const id = (await ok('checkpoint', 'fix')).trim();
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(await ok('checkpoints', 'fix')).toMatch(
    /^CHECKPOINT +WORKER +NAME +TRIGGER +SIZE.*\n[0-9a-f-]{12} +[0-9a-f-]{12} +fix +request/,
  );
  const [listed] = JSON.parse(await ok('checkpoints', '-o', 'json')) as { checkpoint_id: string }[];
  expect(listed?.checkpoint_id).toBe(id);
  expect(await ok('changes', 'fix', '--names')).toBe('A\ttwo\n');
  expect(await ok('changes', 'fix')).toContain('+two');
  const fork = (await ok('fork', 'fix', '--name', 'second', '--wait')).trim();
  expect((await sh(fork, 'cat one two')).out).toBe('one\ntwo\n');
  const spec = JSON.parse(await ok('describe', fork, '-o', 'json')) as object;
  expect(JSON.stringify(spec)).toContain('blue');
  // Since it was filled, nothing is committed; what the first one had not committed is shown.
  await sh(fork, `git add -A && ${git} commit -qm second && echo three > three`);
  expect(await ok('changes', 'second', '--names')).toBe('A\tthree\nA\ttwo\n');
  expect(await ok('changes', 'second', '--names', '--since', 'head')).toBe('A\tthree\n');
  const folder = await mkdtemp(join(tmpdir(), 'wm-export-'));
  const at = (name: string) => join(folder, name);
  expect(await ok('export', 'second', '-f', at('a.tar'))).toBe('');
  mkdirSync(at('copy'));
  execFileSync('tar', ['-xf', at('a.tar'), '-C', at('copy')]);
  expect(readFileSync(join(at('copy'), 'three'), 'utf8')).toBe('three\n');
  expect(execFileSync('git', ['status', '--porcelain'], { cwd: at('copy'), encoding: 'utf8' })).toBe(
    '?? three\n',
  );
  await ok('export', 'second', '--format', 'git-bundle', '-f', at('a.bundle'));
  execFileSync('git', ['clone', '-q', at('a.bundle'), at('clone')]);
  expect(existsSync(join(at('clone'), 'two'))).toBe(true);
  expect(await ok('export', 'second', '--format', 'patch')).toContain('+three');
  // An export leaves no checkpoint behind, and does not overwrite a file.
  expect((await ok('checkpoints', 'second', '-o', 'name')).trim()).toBe('');
  writeFileSync(at('mine'), 'mine');
  for (const ref of ['second', 'missing'])
    expect(await wm('export', ref, '-f', at('mine'))).toMatchObject({
      code: 1,
      err: `error: ${at('mine')} exists already.\n`,
    });
  expect(readFileSync(at('mine'), 'utf8')).toBe('mine');
  expect((await wm('export', 'second', '-f', join(home, 'nowhere', 'x'))).err).toBe(
    `error: ${join(home, 'nowhere', 'x')} cannot be written here: ENOENT: no such file or directory.\n`,
  );
  expect((await wm('export', 'missing', '-f', at('new'))).code).toBe(1);
  expect(existsSync(at('new'))).toBe(false);
});

test('a deleted worker is forked and exported from its last checkpoint', { timeout: LONG }, async () => {
  const id = worker.id;
  await ok('delete', 'fix', '--wait');
  const fork = await wm('fork', id, '--wait');
  expect(fork.code, fork.err).toBe(0);
  expect((await sh(fork.out.trim(), 'cat two')).out).toBe('two\n');
  const { code, err } = await wm('export', id, '-f', join(home, 'old.tar'));
  expect([code, err]).toEqual([0, expect.stringMatching(/^note: these are the files of the checkpoint/)]);
  const [one] = (await ok('checkpoints', '-o', 'name')).trim().split('\n');
  expect((await ok('fork', one ?? '')).trim()).toMatch(/^[0-9a-f-]{36}$/);
  await ok('checkpoints', 'rm', (one ?? '').slice(0, 24));
  expect(await ok('checkpoints', '-o', 'name')).not.toContain(one);
  const missing = await wm('fork', 'no-such-worker');
  expect([missing.code, missing.err]).toEqual([1, 'error: No worker has the name no-such-worker.\n']);
  expect((await wm('checkpoints', 'rm', 'ffff')).err).toContain('No checkpoint has the ID ffff');
});

test('a prefix that several deleted workers have is refused, and not one of them chosen', {
  timeout: LONG,
}, async () => {
  const ids = ['2', '3'].map((digit) => `abcdef1${digit}-0000-4000-8000-000000000000`);
  const { workers } = connect(manager);
  for (const worker_id of ids) {
    const one = await workers.create(
      { worker_id, agent_type: 'CUSTOM', command_line: ['sleep', '600'] },
      { wait: 'ready' },
    );
    await one.files.write('id', worker_id);
    await one.checkpoint();
    await ok('delete', worker_id, '--wait');
  }
  for (const verb of ['fork', 'export']) {
    const { code, err } = await wm(verb, 'abcdef1');
    expect([code, err]).toEqual([1, expect.stringContaining('more than one worker')]);
  }
  const fork = await wm('fork', 'abcdef13', '--wait');
  expect((await sh(fork.out.trim(), 'cat id')).out).toBe(ids[1]);
});
