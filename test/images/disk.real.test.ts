/** The disk of this run's engine; its free space is simulated. */

import { existsSync } from 'node:fs';
import { expect, inject, onTestFinished, test } from 'vitest';
import { type DiskOptions, watchDisk } from '../../src/images/disk.ts';
import { dockerAt } from '../support/docker.ts';

const GIB = 1024 ** 3;

function disk(options: Partial<DiskOptions> = {}) {
  const watched = watchDisk({ host: inject('dockerHost'), minFreeBytes: 2 * GIB, ...options });
  onTestFinished(() => watched.close());
  return watched;
}

test('free space is known for an engine on this machine', async (context) => {
  const { DockerRootDir } = await dockerAt(inject('dockerHost')).info();
  if (!existsSync(DockerRootDir))
    return context.skip(`This engine's ${DockerRootDir} is not on this machine.`);
  expect(await disk().free()).toBeGreaterThan(0);
  expect(await disk({ minFreeBytes: 2 ** 60 }).diskSpaceError()).toMatch(
    /^Only \S+B are free at \/\S+, where Docker stores its images; IMAGE_MIN_FREE requires 1150PB\. Free some space/,
  );
});

test('below the limit, there is not enough space until some is freed', async () => {
  let [free, time] = [2 * GIB - 1, 0];
  const { diskSpaceError } = disk({ freeBytes: async () => free, clock: () => time });
  expect(await diskSpaceError()).toContain('IMAGE_MIN_FREE');
  free = 2 * GIB;
  expect(await diskSpaceError(), 'still the answer of a moment ago').toBeDefined();
  time += 6000;
  expect(await diskSpaceError()).toBeUndefined();
});

test('with a folder that does not exist here, nothing is refused', async () => {
  const freeBytes = async () => {
    throw new Error('ENOENT');
  };
  expect(await disk({ freeBytes }).diskSpaceError()).toBeUndefined();
});

test('without a limit, no check is made', async () => {
  expect(await disk({ minFreeBytes: undefined, freeBytes: async () => 0 }).diskSpaceError()).toBeUndefined();
});
