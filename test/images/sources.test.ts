/** The wrapper's hash, and the folder that an image is built from. */
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  createRecipe,
  hashSources,
  SOURCES,
  type Sources,
  writeBuildContext,
} from '../../src/images/index.ts';
import { GROUND, specOf } from './recipes.ts';

let directory: string;
let sources: Sources;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'images-'));
  sources = { wrapper: join(directory, 'wrapper.mjs'), fixed: join(directory, 'fixed') };
  await cp(SOURCES.fixed, sources.fixed, { recursive: true });
  await writeFile(sources.wrapper, 'process.exit(78);');
});
afterEach(() => rm(directory, { recursive: true }));

test('only files that are copied into images change the hash', async () => {
  const hashes = [await hashSources(sources)];
  for (const path of [
    sources.wrapper,
    ...(await readdir(sources.fixed)).map((name) => join(sources.fixed, name)),
  ]) {
    await writeFile(path, `${await readFile(path)}\n`);
    hashes.push(await hashSources(sources));
  }
  expect(hashes.length).toBe(7);
  expect(new Set(hashes).size).toBe(hashes.length);
  await writeFile(join(sources.fixed, 'notes.txt'), 'for people');
  expect(await hashSources(sources)).toBe(hashes.at(-1));
});

test('a missing bundle is reported with what to do', async () => {
  await rm(sources.wrapper);
  await expect(hashSources(sources)).rejects.toThrow(/wrapper\.mjs is missing.*npm run build/);
});

test('the folder has the files that the Dockerfile copies, with their modes', async () => {
  const context = join(directory, 'context');
  const ca = join(directory, 'ca');
  await writeFile(ca, 'certificates');
  await writeBuildContext(createRecipe(specOf({ allowed_commands: [] }), GROUND), context, { sources, ca });
  const files = (await readdir(context)).sort();
  expect(files).toEqual([
    'Dockerfile',
    'ca.crt',
    'confine.c',
    'entry',
    'gate',
    'health',
    'lock.sh',
    'wrapper',
  ]);
  expect(await readFile(join(context, 'ca.crt'), 'utf8')).toBe('certificates');
  for (const name of ['entry', 'gate', 'lock.sh']) {
    expect((await stat(join(context, name))).mode & 0o777).toBe(0o755);
  }
  expect((await stat(join(context, 'wrapper', 'wrapper.mjs'))).mode & 0o777).toBe(0o644);
});

test('without certificates there is an empty file, and without a lock no lock.sh', async () => {
  const context = join(directory, 'context');
  await writeBuildContext(createRecipe(specOf(), GROUND), context, { sources });
  expect((await stat(join(context, 'ca.crt'))).size).toBe(0);
  expect(await readdir(context)).not.toContain('lock.sh');
});

test('missing certificates are reported with the variable that names them', async () => {
  const ca = join(directory, 'none.crt');
  const written = writeBuildContext(createRecipe(specOf(), GROUND), join(directory, 'context'), {
    sources,
    ca,
  });
  await expect(written).rejects.toThrow(/none\.crt, cannot be read.*WORKER_BUILD_CA/);
});
