/** Bodies of a user's image that is based on one of ours. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { DockerClient } from '../../../src/runtimes/docker/client.ts';
import { KnownImages } from '../../../src/runtimes/docker/image.ts';
import { engine, newRuntime, orderOf } from './subject.ts';

async function derive(name: string, from: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'derived-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'Dockerfile'), `FROM ${from}\nENV TEAM=blue\n`);
  const stream = await engine().buildImage({ context: directory, src: ['Dockerfile'] }, { t: name });
  await new Promise((resolve, reject) =>
    engine().modem.followProgress(stream, (error) => (error ? reject(error) : resolve(undefined))),
  );
  onTestFinished(() => engine().getImage(name).remove({ force: true }));
}

test('a derived image is recognized by its content, and has our users', async () => {
  const name = `derived-${Date.now()}:1`;
  await derive(name, inject('image'));
  const client = new DockerClient({ host: inject('dockerHost') });
  onTestFinished(() => client.close());
  const images = new KnownImages(client);
  expect(await images.get(name)).toMatchObject({ ours: true, wrapped: true });
  expect(await images.get(inject('redisImage'))).toMatchObject({ ours: false, wrapped: false });
  // The engine itself reports that it does not exist.
  expect(await images.get('nobody/has-this:1')).toMatchObject({ ours: false, wrapped: true });

  const { runtime } = newRuntime({ image: inject('image') });
  const { argv: _, ...order } = orderOf([]);
  const body = await runtime.create({ ...order, image: name });
  const { Config, HostConfig } = await engine().getContainer(body.id).inspect();
  expect(Config).toMatchObject({ Image: name, User: '0:0' });
  expect(HostConfig.CapAdd?.map((cap: string) => cap.replace(/^CAP_/, ''))).toEqual([
    'SETUID',
    'SETGID',
    'KILL',
  ]);
});

test('a derived image that does not start the wrapper is rejected before it runs', async () => {
  // It was reported as Completed, and its output was lost.
  const { runtime } = newRuntime({ image: inject('image') });
  const { argv: _, ...order } = orderOf([]);
  const image = inject('redisImage');
  await expect(runtime.create({ ...order, image })).rejects.toMatchObject({
    reason: 'NoWrapper',
    message: expect.stringContaining(image),
  });
  expect(await runtime.list()).toEqual([]);
});

test('a missing derived image is rejected permanently', async () => {
  const { runtime } = newRuntime({ image: inject('image') });
  const { argv: _, ...order } = orderOf([]);
  await expect(runtime.create({ ...order, image: 'nobody/has-this:1' })).rejects.toMatchObject({
    reason: 'ImageMissing',
  });
});
