import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const MODULE = new URL('../../src/config/make-folders.ts', import.meta.url).href;

test('a folder that the file system refuses to make is an error, and not an endless loop', () => {
  const program = `const { makeFolders } = await import(${JSON.stringify(MODULE)}); makeFolders('/proc/no/folder')`;
  // In a process of its own, which can be ended.
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 20_000,
  });
  expect([status, stderr.toString()]).toEqual([
    1,
    expect.stringContaining("ENOENT: no such file or directory, mkdir '/proc/no'"),
  ]);
});
