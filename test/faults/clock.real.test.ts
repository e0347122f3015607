/** The clock of the manager's machine is set while it leads, by libfaketime (Debian's package faketime). */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openWorld, PATIENCE } from './world.ts';

const FAKETIME = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib']
  .map((dir) => `${dir}/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));
const HOUR = 3600;

test('a clock that is set two hours ahead, and back, starts no restarts, and ends no worker', async ({
  skip,
}) => {
  if (!FAKETIME) skip('libfaketime is not installed (apt-get install faketime)');
  const world = await openWorld('process');
  const file = join(world.home, 'offset');
  await writeFile(file, '+0s');
  const manager = await world.start(undefined, {
    LD_PRELOAD: FAKETIME ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    // Like a step of the system clock, which does not affect the monotonic clock.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    LEASE_SECONDS: '60',
    // Longer than the test, and shorter than the steps of the clock.
    RESTART_BACKOFF_SECONDS: '600',
    RESTART_BACKOFF_MAX_SECONDS: '600',
  });
  const [failing, steady] = [randomUUID(), randomUUID()];
  await world.create(failing, { command_line: ['sh', '-c', 'exit 3'], restart_policy: 'always' });
  await world.create(steady, { ttl_seconds: HOUR });
  await world.reach(steady, { status: 'RUNNING' });
  await world.reach(failing, { phase: 'backoff' });
  for (const offset of ['+7200s', '-7200s']) {
    await writeFile(file, offset);
    await vi.waitFor(() => {
      const jumps = manager.log().match(/clock of this machine was changed/g) ?? [];
      expect(jumps.length).toBe(offset === '+7200s' ? 1 : 2);
    }, PATIENCE);
    // A resync: workers that are due by the new time would be reconciled.
    await world.push({ command: 'list' });
  }
  expect((await world.cell.store.status(failing))?.status).toMatchObject({ phase: 'backoff', restarts: 0 });
  expect((await world.cell.store.status(steady))?.status).toMatchObject({
    status: 'RUNNING',
    incarnation: 1,
  });
  expect(manager.log()).not.toContain('"standby"');
});
