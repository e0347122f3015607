/** An archive that is packed from what has changed has the same files as one that is packed from everything. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { ChunkIndex } from '../../../worker-base/archive/archive-parts.ts';
import { fillWorkspace } from '../../../worker-base/archive/fill.ts';
import { packWorkspace } from '../../../worker-base/archive/pack.ts';
import { depsOf, joinParts, listing, newFolder } from './archive-fixture.ts';

/** Every file counts as changed long ago, as far as the packer's clock is concerned. */
const LATER_MS = 10_000;
const { now } = Date;

let workspace: string;
let stored: Map<string, Buffer>;
let known: ChunkIndex;
beforeEach(() => {
  workspace = newFolder();
  stored = new Map();
  known = new Map();
  setClock(LATER_MS);
});
afterEach(() => void vi.restoreAllMocks());

function setClock(aheadMs: number): void {
  vi.restoreAllMocks();
  vi.spyOn(Date, 'now').mockImplementation(() => now() + aheadMs);
}

const path = (name: string) => join(workspace, name);
function write(name: string, content: string | Buffer = name): void {
  mkdirSync(path(join(name, '..')), { recursive: true });
  writeFileSync(path(name), content);
}

/** Packs what has changed; returns the archive and the bytes that were sent. */
async function pack(): Promise<{ archive: Buffer; sent: number; warnings: string[] }> {
  const before = new Set(stored.keys());
  const packing = await packWorkspace(depsOf(workspace), known);
  const archive = await joinParts(packing, stored);
  known = packing.index();
  const sent = [...stored].reduce((sum, [key, { length }]) => sum + (before.has(key) ? 0 : length), 0);
  return { archive, sent, warnings: packing.warnings() };
}
const packWhole = async () => joinParts(await packWorkspace(depsOf(workspace)));
async function unpack(archive: Buffer): Promise<string> {
  const other = newFolder();
  await fillWorkspace(Readable.from([archive]), 'tar.zst', depsOf(other));
  return other;
}
/** Packs what has changed, and expects the same archive as from everything. */
async function packAndExpectWhole(): Promise<{ archive: Buffer; sent: number }> {
  const { archive, sent } = await pack();
  expect(archive.equals(await packWhole())).toBe(true);
  return { archive, sent };
}
/** The same, and unpacks it. */
async function packAndCompare(): Promise<{ sent: number }> {
  const { archive, sent } = await packAndExpectWhole();
  expect(listing(await unpack(archive))).toBe(listing(workspace));
  return { sent };
}

test('what has not changed is not read again', async () => {
  for (let n = 0; n < 400; n += 1) write(`d${n % 20}/f${n}`, randomBytes(10_000));
  const first = await packAndCompare();
  expect(first.sent).toBeGreaterThan(4_000_000);
  const tar = vi.fn();
  const deps = depsOf(workspace, (argv) => {
    tar(argv.join(' '));
    return argv;
  });
  await joinParts(await packWorkspace(deps, known), stored);
  expect(tar).not.toHaveBeenCalledWith(expect.stringContaining('--no-recursion'));
  write('d3/f3', randomBytes(10_000));
  write('d9/new', randomBytes(10_000));
  rmSync(path('d15/f15'));
  const { sent } = await packAndCompare();
  expect(sent).toBeLessThan(first.sent / 4);
  expect((await packAndCompare()).sent).toBe(0);
});

test.each<[string, () => void]>([
  [
    'other content of the same size, with the old time',
    () => {
      const { atime, mtime } = statSync(path('a/one'));
      writeFileSync(path('a/one'), 'other');
      utimesSync(path('a/one'), atime, mtime);
    },
  ],
  [
    'another file with the name, size and time',
    () => {
      write('temporary', 'other');
      execFileSync('touch', ['-r', path('a/one'), path('temporary')]);
      renameSync(path('temporary'), path('a/one'));
    },
  ],
  ['two files that were exchanged', () => exchange('a/one', 'a/two')],
  ['a mode', () => chmodSync(path('a/one'), 0o700)],
  ['a mode of a folder', () => chmodSync(path('a'), 0o700)],
  ['a time', () => utimesSync(path('a/one'), 1, 1)],
  ['a time of a folder', () => utimesSync(path('a'), 1, 1)],
  ['a time of a link', () => lutimesSync(path('link'), 1, 1)],
  ['a time before 1970', () => utimesSync(path('a/one'), -1000, -1000)],
  [
    'the target of a link',
    () => {
      rmSync(path('link'));
      symlinkSync('a/two', path('link'));
    },
  ],
  ['a folder that was renamed', () => renameSync(path('a'), path('z'))],
  ['a folder with the name of another', () => exchange('a', 'b')],
  [
    'a folder that became a file',
    () => {
      rmSync(path('a'), { recursive: true });
      write('a');
    },
  ],
  ['a further name', () => linkSync(path('a/one'), path('z'))],
  ['a further name that comes first', () => linkSync(path('b/three'), path('a/0'))],
  ['one name less', () => rmSync(path('hard'))],
  ['the first of several names', () => rmSync(path('b/linked'))],
  ['a file with holes', () => truncateSync(path('a/one'), 5_000_000)],
  ['a longer file', () => writeFileSync(path('a/one'), 'x', { flag: 'a' })],
  ['an empty file', () => truncateSync(path('a/one'), 0)],
  [
    'everything gone',
    () => readdirSync(workspace).forEach((name) => void rmSync(path(name), { recursive: true })),
  ],
  ['ignored files', () => write('.workerignore', 'two\n')],
])('%s is a change', async (_name, change) => {
  write('a/one', 'first');
  write('a/two', 'other');
  write('b/three', 'third');
  write('b/linked');
  linkSync(path('b/linked'), path('hard'));
  symlinkSync('a/one', path('link'));
  await packAndCompare();
  change();
  const { archive } = await pack();
  expect(archive.equals(await packWhole())).toBe(true);
  if (existsSync(path('.workerignore'))) rmSync(path('a/two'));
  const names = listing(await unpack(archive)).replaceAll(/a\|d.*/g, '');
  expect(names).toBe(listing(workspace).replaceAll(/a\|d.*/g, ''));
});

function exchange(one: string, other: string): void {
  renameSync(path(one), path('exchanged'));
  renameSync(path(other), path(one));
  renameSync(path('exchanged'), path(other));
}

test.each([
  ['has just changed', 0],
  ['has a time in the future, because the clock was set back', -3_600_000],
])('a file that %s is read again', async (_name, ahead) => {
  setClock(ahead);
  write('file', randomBytes(1000));
  await pack();
  expect(known.size).toBe(0);
  setClock(LATER_MS);
  await pack();
  expect(known.size).toBe(1);
});

test('content of the same size that is written at once after each archive is never missed', async () => {
  setClock(0);
  for (let n = 100; n < 130; n += 1) {
    write('file', String(n));
    await packAndExpectWhole();
  }
  await packAndCompare();
});

test('a file that changes while it is packed is read again', async () => {
  write('a', randomBytes(3_000_000));
  write('b', 'first');
  const packing = await packWorkspace(depsOf(workspace));
  // It is listed, and not read yet.
  write('b', 'other');
  await joinParts(packing, stored);
  known = packing.index();
  await packAndCompare();
  write('b', 'third');
  await packAndCompare();
});

test('files that vanish or appear while they are packed do not matter', async () => {
  for (let n = 0; n < 50; n += 1) write(`d/${n}`, randomBytes(100_000));
  const packing = await packWorkspace(depsOf(workspace));
  rmSync(path('d'), { recursive: true });
  write('new');
  await joinParts(packing, stored);
  expect(packing.warnings()).toEqual([]);
  known = packing.index();
  await packAndCompare();
});

test('hard links of files in many groups stay one file', async () => {
  for (let n = 0; n < 30; n += 1) write(`a/${n}`, randomBytes(50_000));
  for (let n = 0; n < 30; n += 1) linkSync(path(`a/${n}`), path(`z${29 - n}`));
  await packAndCompare();
  write('m', randomBytes(1000));
  expect((await packAndCompare()).sent).toBeLessThan(500_000);
  rmSync(path('a/7'));
  await packAndCompare();
});

test('names that are no text, pipes, sockets and long names are the same each time', async () => {
  for (const name of [
    'new\nline',
    'tab\t',
    'back\\slash',
    'back\\nslash',
    'quote"\'',
    ' ',
    'ü',
    '*',
    '-x',
    '\x7f\x01',
  ])
    write(`names/${name}`);
  writeFileSync(Buffer.concat([Buffer.from(path('names/')), Buffer.from([0xff, 0xfe])]), 'not UTF-8');
  write(`${'long/'.repeat(60)}${'n'.repeat(250)}`);
  symlinkSync('t'.repeat(300), path('long link'));
  execFileSync('mkfifo', [path('pipe')]);
  const server = createServer().listen(path('socket'));
  onTestFinished(() => void server.close());
  const { archive } = await pack();
  expect((await pack()).sent).toBe(0);
  expect(archive.equals(await packWhole())).toBe(true);
  server.close();
  rmSync(path('socket'), { force: true });
  expect(listing(await unpack(archive)).split('\n')).toHaveLength(listing(workspace).split('\n').length);
});

test.each([
  ['what lists the files', '--sort=name'],
  ['what reads their times', 'xargs'],
  ['what packs them', '--no-recursion'],
])('an archive fails if %s is killed, and is never shorter', async (_name, word) => {
  for (let n = 0; n < 100; n += 1) write(`d/${n}`, randomBytes(50_000));
  const kill = (argv: string[]) =>
    argv.includes(word) ? ['sh', '-c', '"$@" | head -c 3000; kill -9 $$', 'sh', ...argv] : argv;
  const packing = packWorkspace(depsOf(workspace, kill));
  await expect(packing.then((one) => joinParts(one))).rejects.toMatchObject({ code: 'unavailable' });
});

test('a folder that is too deep for a path is named, and the rest is saved', async () => {
  const script = `import os
os.chdir("${workspace}")
for n in range(40):
    os.mkdir("d" * 200); os.chdir("d" * 200)`;
  execFileSync('python3', ['-c', script]);
  write('file', 'x');
  const { archive, warnings } = await pack();
  expect(warnings[0]).toMatch(/^ddd.*: Cannot save: File name too long$/);
  expect(listing(await unpack(archive))).toContain('file|f|');
  execFileSync('rm', ['-rf', workspace]);
});

test('a file with many holes, whose map takes several blocks', async () => {
  const script = `import os
f = os.open("${path('holes')}", os.O_CREAT | os.O_WRONLY)
for n in range(100): os.pwrite(f, b"x" * 4096, n * 100000)
os.ftruncate(f, 20000000)`;
  execFileSync('python3', ['-c', script]);
  write('next', 'next');
  const { sent } = await packAndCompare();
  expect(sent).toBeLessThan(100_000);
  expect((await packAndCompare()).sent).toBe(0);
});

test.runIf(process.getuid?.() === 0)('files that the agent cannot read are named each time', async () => {
  write('secret', 'x');
  write('closed/inside');
  write('open', 'o');
  chmodSync(path('secret'), 0);
  chmodSync(path('closed'), 0);
  chmodSync(workspace, 0o755);
  const deps = depsOf(workspace, (argv) => [
    'setpriv',
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    ...argv,
  ]);
  for (let n = 0; n < 2; n += 1) {
    const packing = await packWorkspace(deps, known);
    await joinParts(packing, stored);
    known = packing.index();
    expect(packing.warnings().sort()).toEqual([
      expect.stringMatching(/^closed.*: Cannot open: Permission denied/),
      expect.stringMatching(/^secret: .*Cannot open: Permission denied/),
    ]);
  }
  chmodSync(path('secret'), 0o644);
  const packing = await packWorkspace(deps, known);
  expect(listing(await unpack(await joinParts(packing, stored)))).toContain('secret|f|644');
});

test('any sequence of changes', { timeout: 60_000 }, async () => {
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const name = () => `d${random(6)}/e${random(3)}/f${random(12)}`;
  for (let round = 0; round < 12; round += 1) {
    for (let step = 0; step < 25; step += 1) {
      const file = name();
      const there = existsSync(path(file));
      const action = random(7);
      if (action < 3 || !there) write(file, randomBytes(random(40_000)));
      else if (action === 3) rmSync(path(file));
      else if (action === 4) {
        const to = name();
        mkdirSync(path(join(to, '..')), { recursive: true });
        renameSync(path(file), path(to));
      } else if (action === 5) chmodSync(path(file), 0o600 + random(0o177));
      else {
        const to = name();
        mkdirSync(path(join(to, '..')), { recursive: true });
        if (!existsSync(path(to))) linkSync(path(file), path(to));
      }
    }
    if (round % 4 === 3) await packAndCompare();
    else await packAndExpectWhole();
  }
});
