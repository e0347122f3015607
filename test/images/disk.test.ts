import { expect, test } from 'vitest';
import { watchDisk } from '../../src/images/disk.ts';
import { formatSize } from '../../src/model/index.ts';

test.each([
  [0, '0B'],
  [999, '999B'],
  [1000, '1kB'],
  [1_364_000_000, '1.36GB'],
  [2 ** 31, '2.15GB'],
  [980_400_000, '980MB'],
  [5e18, '5000PB'],
])('%d bytes are %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));

test('for a remote engine, free space is unknown and nothing is refused', async () => {
  const disk = watchDisk({ host: 'tcp://192.0.2.1:2375', minFreeBytes: 10 ** 15 });
  expect(await disk.free()).toBeUndefined();
  expect(await disk.diskSpaceError()).toBeUndefined();
  disk.close();
});

test('the folder of the operator counts for any engine, and one that is missing is unknown', async () => {
  const folder = import.meta.dirname;
  const disk = watchDisk({ host: 'tcp://192.0.2.1:2375', minFreeBytes: 10 ** 15, folder });
  expect(await disk.free()).toBeGreaterThan(0);
  expect(await disk.diskSpaceError()).toContain(`are free at ${folder}, where Docker stores its images`);
  disk.close();
  const missing = watchDisk({ host: 'tcp://192.0.2.1:2375', minFreeBytes: 1, folder: '/nowhere' });
  expect(await missing.free()).toBeUndefined();
  expect(await missing.diskSpaceError()).toBeUndefined();
  missing.close();
});

test('with an unavailable engine, nothing is refused', async () => {
  const disk = watchDisk({ host: 'unix:///nowhere/docker.sock', minFreeBytes: 10 ** 15 });
  expect(await disk.diskSpaceError()).toBeUndefined();
  disk.close();
});
