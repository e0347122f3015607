/** `npm run storm -- --kills 1000 --seed 7` runs more kills, and repeats an order of them. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inject, onTestFinished, test } from 'vitest';
import { pidsWith, signal } from '../support/processes.ts';
import type { StormOptions } from './kill-storm.ts';
import { KILLS, passStorm, STORM_MS } from './kill-storm-suite.ts';
import { openWorld } from './world.ts';

test('no file of an ended turn is lost, whatever of a process is killed', { timeout: STORM_MS }, async () => {
  const world = await openWorld('process');
  const faults: StormOptions['faults'] = {
    body: async ({ id }) => {
      const [body] = await world.runtime.find(id, undefined);
      if (body) await world.runtime.kill(body.id).catch(() => {});
      return body !== undefined;
    },
    // The wrapper, the agent, or what holds both.
    process: async ({ id }, one) => {
      const pid = one(pidsWith(id));
      if (pid) signal(pid, 'SIGKILL');
      return pid !== undefined;
    },
  };
  if (mountSmallDisk(world.home))
    faults['full disk'] = async (_, one) =>
      one([1, 2, 3, 4]) === 1 && fill(world.home, one([10, 100, 300]) ?? 0);
  await passStorm({
    ...{ world, faults, redisUrl: inject('redisUrl') },
    kills: Math.ceil(KILLS * 0.8),
    pauseMs: 150,
  });
});

/** Makes a folder a disk of its own, which can be filled without harm to others; reports why if that is impossible. */
function mountSmallDisk(folder: string): boolean {
  const argv = ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder];
  const mounted = spawnSync('mount', argv, { encoding: 'utf8' });
  if (mounted.status !== 0) {
    console.log(`Without full disks: one could not be mounted: ${mounted.stderr || mounted.error?.message}`);
    return false;
  }
  onTestFinished(() => void spawnSync('umount', ['--lazy', folder]));
  return true;
}

/** Leaves no room on a disk for some milliseconds. */
async function fill(folder: string, ms: number): Promise<boolean> {
  const ballast = join(folder, 'ballast');
  const file = openSync(ballast, 'w');
  try {
    for (const part = Buffer.alloc(1 << 16); ; ) writeSync(file, part);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
  await delay(ms);
  rmSync(ballast);
  return true;
}
