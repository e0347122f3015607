/** A workspace is packed with everything in it, and filled from the archive completely or not at all. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { fillWorkspace, isFillDue } from '../../../worker-base/archive/fill.ts';
import { packWorkspace } from '../../../worker-base/archive/pack.ts';
import { depsOf, joinParts, listing, newFolder } from './archive-fixture.ts';

const MARKER = '.worker-manager-source';

async function pack(workspace: string) {
  const packing = await packWorkspace(depsOf(workspace));
  return { bytes: await joinParts(packing), ...packing };
}
const fill = (workspace: string, archive: Readable | Buffer, format: 'tar.zst' | 'tar.gz' = 'tar.zst') =>
  fillWorkspace(archive instanceof Readable ? archive : Readable.from([archive]), format, depsOf(workspace));

let workspace: string;
beforeEach(() => {
  workspace = newFolder();
});
const write = (name: string, content: string | Buffer = name, mode = 0o644) => {
  mkdirSync(join(workspace, name, '..'), { recursive: true });
  writeFileSync(join(workspace, name), content);
  chmodSync(join(workspace, name), mode);
};

test('everything is as it was: modes, times, links, names, empty folders and git', async () => {
  execFileSync('git', ['init', '-q', '.'], { cwd: workspace });
  write('src/a file with\nnewline and "quotes" and ümläuts', randomBytes(100_000));
  write('-rf');
  write('--checkpoint-action=exec=sh');
  write(`${'long/'.repeat(40)}${'n'.repeat(200)}`);
  write('run.sh', '#!/bin/sh\n', 0o755);
  write('private', 'secret', 0o600);
  write('everyone', 'x', 0o777);
  writeFileSync(Buffer.concat([Buffer.from(`${workspace}/`), Buffer.from([0xff, 0xfe, 0x41])]), 'not UTF-8');
  mkdirSync(join(workspace, 'empty'), { mode: 0o700 });
  mkdirSync(join(workspace, 'read-only'));
  write('read-only/inside');
  chmodSync(join(workspace, 'read-only'), 0o555);
  symlinkSync('run.sh', join(workspace, 'link'));
  symlinkSync('/etc/passwd', join(workspace, 'absolute'));
  symlinkSync('nowhere', join(workspace, 'dangling'));
  linkSync(join(workspace, 'private'), join(workspace, 'hard'));
  utimesSync(join(workspace, 'run.sh'), 1_000_000, 1_000_000);
  const before = listing(workspace);
  const { bytes, format, warnings } = await pack(workspace);
  expect([format, warnings()]).toEqual(['tar.zst', []]);
  const other = newFolder();
  expect(isFillDue(other)).toBe(true);
  await fill(other, bytes);
  expect(listing(other)).toBe(before);
  expect(isFillDue(other)).toBe(false);
  // The same files are the same bytes, wherever they are.
  expect((await pack(other)).bytes.equals(bytes)).toBe(true);
  expect(execFileSync('git', ['status', '--porcelain'], { cwd: other, encoding: 'utf8' })).toContain(
    'run.sh',
  );
});

test('what gives a program other rights is not restored', async () => {
  write('suid', 'x', 0o6755);
  const { bytes } = await pack(workspace);
  const other = newFolder();
  await fill(other, bytes);
  expect(listing(other)).toContain('suid|f|755|');
});

test('an empty workspace, and one with pipes and sockets, can be packed', async () => {
  await fill(newFolder(), (await pack(workspace)).bytes);
  execFileSync('mkfifo', [join(workspace, 'pipe')]);
  // A pipe of that name is not read.
  execFileSync('mkfifo', [join(workspace, '.workerignore')]);
  const server = createServer().listen(join(workspace, 'socket'));
  onTestFinished(() => void server.close());
  const { bytes, warnings } = await pack(workspace);
  const other = newFolder();
  await fill(other, bytes);
  expect(readdirSync(other).sort()).toEqual(['.workerignore', 'pipe']);
  expect(warnings()).toEqual([]);
});

test('.workerignore leaves files out', async () => {
  for (const name of [
    'keep',
    'node_modules/x',
    'sub/node_modules/y',
    'build/out',
    'sub/build/kept',
    'a.log',
    'sub/b.log',
    'docs/deep/er/c.tmp',
    'docs/d.tmp',
    'docsx/kept.tmp',
    'all/of/it',
    '#hash',
    'x/generated/y',
    'generated/z',
  ])
    write(name);
  write(
    '.workerignore',
    '# comment\n\nnode_modules/\r\n/build\n*.log\ndocs/**/*.tmp\nall/**\n\\#hash\n**/generated\n/\n',
  );
  const { bytes } = await pack(workspace);
  const other = newFolder();
  await fill(other, bytes);
  const files = execFileSync('find', ['.', '-type', 'f', '-printf', '%P\n'], {
    cwd: other,
    encoding: 'utf8',
  });
  expect(files.trim().split('\n').sort()).toEqual([
    '.workerignore',
    'docsx/kept.tmp',
    'keep',
    'sub/build/kept',
  ]);
  write('.workerignore', 'node_modules\n!node_modules/x\n');
  await expect(pack(workspace)).rejects.toMatchObject({ code: 'conflict', message: /!node_modules/ });
});

test('an archive that breaks off, or is none, leaves a marker, and the next one begins again', async () => {
  write('file', randomBytes(1_000_000));
  const { bytes } = await pack(workspace);
  const other = newFolder();
  async function* cut() {
    yield bytes.subarray(0, 500_000);
    throw new Error('the manager has gone');
  }
  await expect(fill(other, Readable.from(cut()))).rejects.toThrow('the manager has gone');
  expect(isFillDue(other)).toBe(true);
  for (const broken of [bytes.subarray(0, 500_000), Buffer.from('no archive'), Buffer.alloc(0)])
    await expect(fill(other, broken)).rejects.toMatchObject({ code: 'conflict' });
  expect(existsSync(join(other, MARKER))).toBe(true);
  writeFileSync(join(other, 'rest of the first'), '');
  await fill(other, bytes);
  expect(listing(other)).toBe(listing(workspace));
  // The marker itself is never part of an archive.
  mkdirSync(join(workspace, MARKER));
  expect((await pack(workspace)).bytes.equals(bytes)).toBe(true);
});

test('a hostile archive stays inside', async () => {
  const [outside, other] = [newFolder(), newFolder()];
  const evil = newFolder();
  symlinkSync(outside, join(evil, 'link'));
  execFileSync('tar', ['-cf', 'a.tar', 'link'], { cwd: evil });
  rmSync(join(evil, 'link'));
  mkdirSync(join(evil, 'link'));
  writeFileSync(join(evil, 'link', 'planted'), 'x');
  writeFileSync(join(evil, 'up'), 'x');
  execFileSync('tar', ['-rf', 'a.tar', 'link/planted'], { cwd: evil });
  execFileSync('tar', ['-rPf', 'a.tar', '--transform=s,^up$,../up,', 'up'], { cwd: evil });
  const tar = execFileSync('gzip', ['-c', 'a.tar'], { cwd: evil });
  await fill(other, tar, 'tar.gz').catch(() => {});
  expect(readdirSync(outside)).toEqual([]);
  expect(existsSync(join(other, '..', 'up'))).toBe(false);
});

test('a stop of the body, which signals its group, does not end the packing', async () => {
  write('file', 'content');
  // The process runtime sends SIGTERM to the group of the wrapper, which here is that of this process.
  const stopped = '[ "$(ps -o pgid= -p $$ | tr -d " ")" != "$GROUP" ] && exec "$@"';
  const group = execFileSync('ps', ['-o', 'pgid=', '-p', String(process.pid)], { encoding: 'utf8' }).trim();
  const helperCommand = (argv: readonly string[]) => [
    'env',
    `GROUP=${group}`,
    'sh',
    '-c',
    stopped,
    'sh',
    ...argv,
  ];
  const packing = await packWorkspace({ ...depsOf(workspace), privileges: { helperCommand } });
  expect((await joinParts(packing)).length).toBeGreaterThan(0);
});

test('a reader that leaves ends the packing', async () => {
  write('large', randomBytes(20_000_000));
  const { parts } = await packWorkspace(depsOf(workspace));
  await parts.next();
  const packs = () => execFileSync('ps', ['-eo', 'ppid,args'], { encoding: 'utf8' }).match(/tar -cf - .*/);
  expect(packs()).not.toBeNull();
  await parts.return(undefined);
  await expect.poll(packs).toBeNull();
});
