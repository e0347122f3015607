import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { cleanCell, newCell, startManager } from '../../support/manager.ts';
import { wmOf } from '../wm.ts';

/** The image of CUSTOM workers, which other suites use too: at most one build of it a run. */
const LONG = 300_000;

test('an image is shown before it is built, built once, listed, and held against collection', {
  timeout: LONG,
}, async () => {
  const redisUrl = inject('redisUrl');
  const cell = newCell();
  const folder = await mkdtemp(join(tmpdir(), 'wm-context-'));
  onTestFinished(async () => {
    await cleanCell({ redisUrl, cell, home: folder });
    await rm(folder, { recursive: true, force: true });
  });
  const host = inject('dockerHost');
  const DOCKER_HOST = host.startsWith('/') ? `unix://${host}` : host;
  const env = { RUNTIME: 'docker', DOCKER_HOST, WORKER_BASE_IMAGE: inject('baseImage') };
  const { wm } = wmOf({ redisUrl, cell, env });
  const image = ['images', 'build', '--agent-type', 'CUSTOM'];

  const context = join(folder, 'context');
  const told = await wm(...image, '--directory', context);
  expect(told).toMatchObject({ code: 0, err: '' });
  const shown = await wm(...image, '--print');
  expect(shown.out).toBe(await readFile(join(context, 'Dockerfile'), 'utf8'));
  expect(shown.out).toContain('ENTRYPOINT');

  const printed = JSON.parse((await wm(...image, '--print', '-o', 'json')).out);
  expect(printed).toEqual({ image: expect.stringMatching(/^worker:/), dockerfile: shown.out });

  const options = { redisUrl, cell, env, home: folder };
  const manager = await startManager(options);
  onTestFinished(() => void manager.kill('SIGTERM'));
  const inFolder = wmOf(options).wm;
  const create = ['create', '--runtime', 'docker', '--name', 'boxed', '--', 'cat'];
  expect(await inFolder(...create)).toMatchObject({ code: 0 });
  const ofWorker = await inFolder('images', 'dockerfile', 'boxed');
  expect(ofWorker, ofWorker.err).toMatchObject({ code: 0, out: shown.out });
  const found = await inFolder('images', 'dockerfile', 'boxed', '-o', 'json');
  expect(JSON.parse(found.out)).toEqual(printed);
  expect(await inFolder('delete', 'boxed', '--wait')).toMatchObject({ code: 0 });
  await manager.stop();

  const built = await wm(...image);
  expect(built).toMatchObject({ code: 0, out: expect.stringMatching(/^worker:[0-9a-f]{12}\n$/) });
  const name = built.out.trim();
  expect(told.out).toBe(`docker build -t ${name} ${context}\n`);
  expect(JSON.parse((await wm(...image, '-o', 'json')).out)).toEqual({ image: name });

  const listed: { name: string; modules: string[]; created_at: string }[] = JSON.parse(
    (await wm('images', 'ls', '-o', 'json')).out,
  );
  expect(listed.find((one) => one.name === name)).toMatchObject({ agent_type: 'CUSTOM', modules: [] });
  expect((await wm('images', 'ls')).out).toContain(name);

  // It is unused in this cell, and it is new: it stays for the whole retention.
  const { code, out } = await wm('images', 'gc', '--dry-run');
  expect(code).toBe(0);
  expect(out).not.toContain(`${name} `);
  expect(out).toMatch(/would be freed; \d+ images with .* remain\.\n$/);

  const file = join(folder, 'requirements.txt');
  await writeFile(file, 'six==1.17.0  # a comment\n');
  const withPackages = await wm(...image, '--requirements', file, '--package', 'jq', '--directory', context);
  expect(withPackages.code).toBe(0);
  expect(await readFile(join(context, 'requirements.txt'), 'utf8')).toBe('six==1.17.0\n');
  expect(await readFile(join(context, 'packages.txt'), 'utf8')).toBe('jq\n');

  expect(await wm(...image, '--package', 'zstd-', '--print')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--package: must be the name of a Debian package'),
  });
  expect(await wm(...image, '--module', 'NOPE')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--module'),
  });
});
