import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createFolders } from '../../src/config/make-folders.ts';

const MODULE = new URL('../../src/config/make-folders.ts', import.meta.url).href;

test.each([
  ['makeFolders', ''],
  ['createFolders', 'await '],
])('%s: a folder that the file system refuses to make is an error, and not an endless loop', (name, wait) => {
  const program = `const { ${name} } = await import(${JSON.stringify(MODULE)}); ${wait}${name}('/proc/no/folder')`;
  // In a process of its own, which can be ended.
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 20_000,
  });
  expect([status, stderr.toString()]).toEqual([
    1,
    expect.stringContaining("ENOENT: no such file or directory, mkdir '/proc/no'"),
  ]);
});

test('folders are created for this user alone, with their parents, by several at once', async () => {
  const root = mkdtempSync(join(tmpdir(), 'wm-folders-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const path = join(root, 'a', 'b', 'c');
  await Promise.all([createFolders(path), createFolders(path), createFolders(join(root, 'a', 'd'))]);
  for (const folder of ['a', 'a/b', 'a/b/c', 'a/d'])
    expect(statSync(join(root, folder)).mode & 0o777).toBe(0o700);
});
