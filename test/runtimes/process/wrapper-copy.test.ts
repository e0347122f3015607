import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { WRAPPERS_DIRECTORY, WrapperCopy } from '../../../src/runtimes/process/wrapper-copy.ts';

let home: string;
let cell: string;
let argv: string[];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'wm-wrapper-'));
  cell = join(home, 'cell');
  await mkdir(cell);
  argv = ['node', join(home, 'dist', 'wrapper.mjs')];
  await bundle('one');
});
afterEach(() => rm(home, { recursive: true }));

/** The package of a version. */
async function bundle(version: string) {
  const dist = join(home, 'dist');
  await mkdir(join(dist, 'runner'), { recursive: true });
  for (const file of ['wrapper.mjs', 'runner/runner.py']) await writeFile(join(dist, file), version);
  const image = join(home, 'worker-base', 'image');
  await mkdir(image, { recursive: true });
  await writeFile(join(image, 'gate'), version);
  await writeFile(join(dist, 'wrapper.json'), JSON.stringify(['wrapper.mjs', 'runner/runner.py']));
}

const copies = () => readdir(join(cell, WRAPPERS_DIRECTORY));
const versionOf = (command: string[]) => readFile(command.at(-1) ?? '', 'utf8');

test('bodies run from a copy, which an upgrade of the package does not change', async () => {
  const umask = process.umask(0o077);
  onTestFinished(() => void process.umask(umask));
  const wrapper = new WrapperCopy(cell, argv);
  const command = await wrapper.argv();
  expect(command).toEqual(['node', expect.stringContaining(join(cell, WRAPPERS_DIRECTORY))]);
  const runner = join(dirname(command[1] ?? ''), 'runner', 'runner.py');
  // Another user runs it.
  expect([(await stat(runner)).mode & 0o777, (await stat(dirname(runner))).mode & 0o777]).toEqual([
    0o755, 0o755,
  ]);
  expect(await readFile(join(dirname(runner), '..', 'gate'), 'utf8')).toBe('one');
  await bundle('two');
  expect(await wrapper.argv()).toEqual(command);
  expect(await versionOf(command)).toBe('one');
  expect(await versionOf(await new WrapperCopy(cell, argv).argv())).toBe('two');
});

test('a copy is kept as long as a body runs from it', async () => {
  const old = await new WrapperCopy(cell, argv).argv();
  await mkdir(join(cell, 'worker'));
  await writeFile(join(cell, 'worker', 'body.json'), JSON.stringify({ argv: old }));
  await bundle('two');
  await new WrapperCopy(cell, argv).argv();
  expect(await copies()).toHaveLength(2);
  await rm(join(cell, 'worker'), { recursive: true });
  await bundle('three');
  const last = new WrapperCopy(cell, argv);
  await last.argv();
  expect(await copies()).toHaveLength(1);
  // Without it, bodies still start.
  await rm(join(cell, WRAPPERS_DIRECTORY), { recursive: true });
  expect(await last.argv()).toEqual(argv);
  expect(await versionOf(await last.argv())).toBe('three');
  expect(await copies()).toHaveLength(1);
});

test('a copy that a crash has damaged is made again, by several managers at once', async () => {
  const path = (await new WrapperCopy(cell, argv).argv())[1] ?? '';
  await writeFile(path, '');
  const [draft, old] = ['.new-another', '.new-killed'].map((name) => join(cell, WRAPPERS_DIRECTORY, name));
  for (const folder of [draft, old]) await mkdir(folder ?? '');
  await utimes(old ?? '', 1, 1);
  const commands = await Promise.all(Array.from({ length: 5 }, () => new WrapperCopy(cell, argv).argv()));
  for (const command of commands) expect(await versionOf(command)).toBe('one');
  expect(await versionOf(await new WrapperCopy(cell, argv).argv())).toBe('one');
  expect((await copies()).sort()).toEqual(['.new-another', basename(dirname(path))]);
});

test('a program without a list of its files runs where it is', async () => {
  await rm(join(home, 'dist', 'wrapper.json'));
  expect(await new WrapperCopy(cell, argv).argv()).toEqual(argv);
});

test('if nothing can be executed there, bodies run from the package', async ({ skip }) => {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'tmpfs', cell], { encoding: 'utf8' });
  skip(mounted.status !== 0, `A file system cannot be mounted: ${mounted.stderr || mounted.error?.message}`);
  const wrapper = new WrapperCopy(cell, argv);
  const commands = [await wrapper.argv(), await wrapper.argv()];
  spawnSync('umount', [cell]);
  expect(commands).toEqual([argv, argv]);
});
