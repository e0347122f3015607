/** Managers that start at the same time build the page at the same time, and read it meanwhile. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bundlePage, replaceFolder } from '../../scripts/bundle-page.ts';

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wm-page-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const version = (name: string) =>
  new Map([
    ['index.html', name],
    ...Array.from({ length: 30 }, (_, at): [string, string] => [`${name}-${at}.js`, name]),
  ]);

test('builds of the same page at the same time leave one complete page, and nothing beside it', async () => {
  const root = await newFolder();
  const target = join(root, 'page');
  await Promise.all([1, 2, 3].map(() => bundlePage(target)));
  const names = await readdir(target);
  const index = await readFile(join(target, 'index.html'), 'utf8');
  const linked = [...index.matchAll(/page\/([\w.-]+)"/g)].map(([, name]) => name);
  expect(linked.length).toBeGreaterThan(2);
  expect(names).toEqual(expect.arrayContaining(linked));
  expect(await readdir(root)).toEqual(['page']);
  expect((await stat(target)).mode & 0o777).toBe(0o755);
  const { ino } = await stat(target);
  await bundlePage(target);
  expect((await stat(target)).ino, 'a page that has not changed stays').toBe(ino);
});

test('a reader never sees files of two builds', async () => {
  const root = await newFolder();
  const target = join(root, 'page');
  await replaceFolder(target, version('a'));
  await writeFile(join(target, 'old.js'), 'of an older build');
  let done = false;
  const read = async () => {
    const seen = new Set<string>();
    while (!done) {
      const names = (await readdir(target).catch(() => [])).filter((name) => name !== 'old.js').sort();
      if (names.length > 0) seen.add(names.join());
    }
    return seen;
  };
  const reading = read();
  for (let round = 0; round < 8; round += 1)
    await Promise.all(['a', 'b', 'b', 'c'].map((name) => replaceFolder(target, version(name))));
  done = true;
  for (const names of await reading)
    expect(new Set(names.match(/[abc](?=-\d)/g) ?? []).size, names).toBeLessThanOrEqual(1);
  expect(await readdir(root)).toEqual(['page']);
  expect(await readdir(target)).not.toContain('old.js');
});
