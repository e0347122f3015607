/** The whole conformance suite of the Docker runtime, a build and the list of images through the engine proxy. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { createCollector } from '../../src/images/gc.ts';
import { createImages } from '../../src/images/index.ts';
import { SOURCES } from '../../src/images/sources.ts';
import { ImageUsage, type Link } from '../../src/store/index.ts';
import { makeDockerSubject } from '../conformance/docker-subject.ts';
import { runtimeConformance, workerSpec } from '../conformance/runtime.ts';
import { dockerAt } from '../support/docker.ts';
import { type RunningEngineProxy, startEngineProxy } from './start-engine-proxy.ts';

let proxy: RunningEngineProxy;
beforeAll(async () => {
  proxy = await startEngineProxy(inject('dockerHost'));
});
afterAll(async () => {
  await proxy.stop();
  // Nothing that the runtime or the images asked for was refused.
  expect(proxy.log()).not.toContain('refused');
});

runtimeConformance('docker, through the engine proxy', () =>
  makeDockerSubject({ host: proxy.socket, deliverMs: 3000, connectBy: 'exec' }),
);

test('an image is built, listed and removed through the proxy', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'wm-build-'));
  const redis = new Redis(inject('redisUrl'));
  onTestFinished(async () => {
    redis.disconnect();
    await rm(directory, { recursive: true });
  });
  // Sources of this test alone, so that the engine must build.
  const sources = { wrapper: join(directory, 'wrapper.mjs'), fixed: join(directory, 'fixed') };
  await cp(SOURCES.fixed, sources.fixed, { recursive: true });
  await writeFile(sources.wrapper, `/* ${directory} */ process.exit(78);`);
  await mkdir(join(directory, 'runner'));
  await writeFile(join(directory, 'runner', 'runner.py'), '');
  await writeFile(join(directory, 'wrapper.json'), '["runner/runner.py"]');
  const images = createImages({
    host: proxy.socket,
    version: 'test',
    baseImage: inject('baseImage'),
    sources,
  });
  onTestFinished(() => images.close());
  const name = await images.buildNow(workerSpec({ runtime: 'docker' }));

  const usage = new ImageUsage(redis as Link);
  const rules = { retentionDays: 7, budgetBytes: undefined, cacheBudgetBytes: undefined };
  const collector = createCollector({ host: proxy.socket, usage, ...rules });
  expect((await collector.list()).map((image) => image.name)).toContain(name);
  const { dry_run, disk_bytes_after } = await collector.collect({ dryRun: true });
  expect([dry_run, typeof disk_bytes_after]).toEqual([true, 'number']);
  collector.close();

  const docker = dockerAt(inject('dockerHost'));
  expect((await docker.getImage(name).inspect()).RepoTags).toContain(name);
  await dockerAt(proxy.socket).getImage(name).remove({ force: false });
  await expect(docker.getImage(name).inspect()).rejects.toMatchObject({ statusCode: 404 });
});
