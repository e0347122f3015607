/** `wm cp`: both ways, files, folders and streams. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { connect, type WorkerHandle } from '../../../src/client/index.ts';
import { cleanCell, type Manager, newCell, startManager } from '../../support/manager.ts';
import { type Running, wmOf } from '../wm.ts';

const LONG = 120_000;
const DONE = { code: 0, out: '', err: '' };
const redisUrl = inject('redisUrl');
const cell = newCell();
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
let manager: Manager;
let worker: WorkerHandle;
let here: string;
let begin: (args: string[], input?: string) => Running;
const cp = (from: string, to: string, input?: string) => begin(['cp', from, to], input).done;
const { start } = wmOf({ redisUrl, cell, home });

beforeAll(async () => {
  manager = await startManager({ redisUrl, cell, home });
  const { url, token } = manager;
  const client = connect({ url, token });
  worker = await client.workers.create(
    { agent_type: 'CUSTOM', name: 'box', command_line: ['cat'] },
    { wait: 'ready' },
  );
  begin = (args, input) => start(args, input, { WM_URL: url, WM_TOKEN: token });
}, LONG);
afterAll(async () => {
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
});
beforeEach(async () => {
  here = mkdtempSync(join(tmpdir(), 'wm-cp-'));
  await worker.commands.run('rm -rf ./* ./.[!.]*');
});
afterEach(() => rmSync(here, { recursive: true, force: true }));
const inWorker = async (shell: string) => (await worker.commands.run(shell)).stdout;

test('a file goes both ways, with its permissions', { timeout: LONG }, async () => {
  const content = randomBytes(5_000_000);
  writeFileSync(join(here, 'a file?'), content);
  chmodSync(join(here, 'a file?'), 0o750);
  expect(await cp(join(here, 'a file?'), 'box:deep/new name')).toEqual(DONE);
  const sum = createHash('sha256').update(content).digest('hex');
  expect(await inWorker('sha256sum <"deep/new name"; stat -c %a deep/*')).toBe(`${sum}  -\n750\n`);
  expect(await cp(join(here, 'a file?'), `${worker.id.slice(0, 8)}:deep`)).toEqual(DONE);
  expect(await inWorker('ls deep')).toBe('a file?\nnew name\n');
  expect(await cp('box:deep/new name', join(here, 'back'))).toEqual(DONE);
  expect(readFileSync(join(here, 'back')).equals(content)).toBe(true);
  expect(statSync(join(here, 'back')).mode & 0o777).toBe(0o750);
  expect(await cp('box:deep/a file?', here)).toEqual(DONE);
  expect(readdirSync(here).sort()).toEqual(['a file?', 'back']);
});

test('with -n, no file is replaced on either side', { timeout: LONG }, async () => {
  const file = join(here, 'file');
  writeFileSync(file, 'one');
  const copy = (...args: string[]) => begin(['cp', '-n', ...args]).done;
  expect(await copy(file, 'box:file')).toEqual(DONE);
  writeFileSync(file, 'two');
  expect(await copy(file, 'box:file')).toMatchObject({
    code: 1,
    err: expect.stringContaining('exists already'),
  });
  expect(await inWorker('cat file')).toBe('one');
  expect(await copy('box:file', file)).toMatchObject({
    code: 1,
    err: expect.stringContaining('exists already'),
  });
  expect(readFileSync(file, 'utf8')).toBe('two');
  expect(await copy('box:file', join(here, 'new'))).toEqual(DONE);
  expect(readdirSync(here).sort()).toEqual(['file', 'new']);
  expect(await copy(here, 'box:')).toMatchObject({ code: 2 });
});

test('a folder goes both ways, into one that exists or under a new name', { timeout: LONG }, async () => {
  const tree = join(here, 'tree');
  mkdirSync(join(tree, 'sub'), { recursive: true });
  writeFileSync(join(tree, 'sub', 'file'), 'x');
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0x0a])]), 'odd');
  symlinkSync('sub/file', join(tree, 'link'));
  expect(await cp(tree, 'box:')).toEqual(DONE);
  expect(await cp(tree, 'box:other')).toEqual(DONE);
  expect(await cp(tree, 'box:other')).toEqual(DONE);
  expect(await cp(`${tree}/.`, 'box:plain')).toEqual(DONE);
  expect(await inWorker('ls; diff -r tree plain && diff -r tree other/tree && readlink tree/link')).toBe(
    'other\nplain\ntree\nsub/file\n',
  );
  expect(await cp('box:tree', join(here, 'back'))).toEqual(DONE);
  execFileSync('diff', ['-r', '--no-dereference', tree, join(here, 'back')]);
  expect(await cp('box:tree', join(here, 'back'))).toEqual(DONE);
  execFileSync('diff', ['-r', '--no-dereference', tree, join(here, 'back', 'tree')]);
});

test('standard input and output', { timeout: LONG }, async () => {
  expect(await cp('-', 'box:notes/hello', 'hello\n')).toEqual(DONE);
  expect(await cp('box:notes/hello', '-')).toEqual({ ...DONE, out: 'hello\n' });
  const { out } = await cp('box:notes', '-');
  expect(execFileSync('tar', ['-tf', '-'], { input: out }).toString()).toBe('hello\n');
  expect(await cp('-', 'box:unpacked/', out)).toEqual(DONE);
  expect(await inWorker('cat unpacked/hello')).toBe('hello\n');
});

test('what cannot be copied says why, and leaves nothing behind', { timeout: LONG }, async () => {
  writeFileSync(join(here, 'file'), 'x');
  const refused = async (from: string, to: string) => {
    const { code, err } = await cp(from, to);
    return [code, err.split('\n')[0]];
  };
  expect(await refused(join(here, 'file'), join(here, 'other'))).toEqual([
    2,
    expect.stringContaining('Exactly one'),
  ]);
  expect(await refused('box:a', 'box:b')).toEqual([2, expect.stringContaining('Exactly one')]);
  expect(await cp('-', 'box:big', 'x'.repeat(2 ** 20))).toEqual(DONE);
  expect(await refused('box:big', join(here, 'nowhere', 'x'))).toEqual([
    1,
    `error: ${join(here, 'nowhere', 'x')} cannot be written here: ENOENT: no such file or directory.`,
  ]);
  expect(await refused('box:missing', here)).toEqual([1, 'error: missing does not exist in the worker.']);
  expect(await refused(join(here, 'missing'), 'box:')).toEqual([
    1,
    `error: ${join(here, 'missing')} does not exist here.`,
  ]);
  expect(await refused('box:../x', here)).toEqual([2, expect.stringContaining('outside of the workspace')]);
  expect(await refused('box:/etc/passwd', here)).toEqual([
    2,
    expect.stringContaining('outside of the workspace'),
  ]);
  expect(await refused('absent:x', here)).toEqual([1, 'error: No worker has the name absent.']);
  await inWorker('echo x >file');
  expect(await refused(here, 'box:file')).toEqual([1, expect.stringContaining('is a file in the worker')]);
  expect(readdirSync(here)).toEqual(['file']);
  writeFileSync(join(here, 'large'), Buffer.alloc(5_000_000));
  execFileSync('mkfifo', [join(here, 'a-pipe')]);
  expect(await refused(here, 'box:')).toEqual([
    2,
    expect.stringContaining('neither a file, a folder nor a link'),
  ]);
});

test('an upload that is killed is not seen, and a worker that ends cuts a download', {
  timeout: LONG,
}, async () => {
  const upload = begin(['cp', '-', 'box:half'], 'open');
  upload.child.stdin?.write(randomBytes(300_000));
  await expect.poll(() => inWorker('ls -A'), { timeout: 20_000 }).toContain('.part');
  upload.child.kill('SIGKILL');
  await upload.done;
  await expect.poll(() => inWorker('ls -A'), { timeout: 20_000 }).toBe('');
  await inWorker('truncate -s 3G big');
  const download = begin(['cp', 'box:big', join(here, 'big')]);
  await expect.poll(() => readdirSync(here).length, { timeout: 20_000 }).toBe(1);
  await worker.stop();
  const { code, err } = await download.done;
  expect([code, err]).toEqual([1, expect.stringContaining('The connection was cut')]);
  expect(existsSync(join(here, 'big'))).toBe(false);
  expect(readdirSync(here)).toEqual([]);
});
