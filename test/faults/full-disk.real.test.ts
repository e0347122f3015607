/** A disk without room for what a body needs: reported as such, retried with a growing delay, and recovered from. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openWorld, PATIENCE } from './world.ts';

test('a full disk of the process runtime is the reason of workers without a body, but not an outage', {
  timeout: 90_000,
}, async (context) => {
  const disk = mkdtempSync(join(tmpdir(), 'wm-full-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { encoding: 'utf8' });
  if (mounted.status !== 0) {
    rmSync(disk, { recursive: true });
    return context.skip(`A small disk could not be mounted: ${mounted.stderr || mounted.error?.message}`);
  }
  const world = await openWorld('process');
  onTestFinished(() => {
    spawnSync('umount', ['--lazy', disk]);
    rmSync(disk, { recursive: true });
  });
  const manager = await world.start(undefined, { WORKER_MANAGER_HOME: disk });
  // The manager's own folders already exist.
  const ballast = join(disk, 'ballast');
  expect(() => writeFileSync(ballast, Buffer.alloc(4 << 20))).toThrow('ENOSPC');
  const worker = randomUUID();
  await world.create(worker);
  const message = expect.stringContaining('no space left on device');
  await world.reach(worker, { status: 'STARTING', reason: 'CreateFailed', message });
  const tries = () =>
    [
      ...manager.log().matchAll(/"act":"create body 1".*"tries":(\d+),"msg":"reconcile failed; retrying"/g),
    ].map(([, count]) => Number(count));
  await vi.waitFor(() => expect(tries().at(-1)).toBeGreaterThanOrEqual(4), PATIENCE);
  // Each failure is one line, and most repetitions are none.
  expect([1, 2, 4, 8, 16].slice(0, tries().length)).toEqual(tries());
  expect(manager.log()).not.toContain('"msg":"action failed"');
  expect(manager.log()).not.toContain('runtime does not answer');

  rmSync(ballast);
  await world.reach(worker, { status: 'RUNNING', reason: '' });
  const over = () => manager.log().match(/"msg":"reconcile succeeded after failures"/g)?.length;
  await vi.waitFor(() => expect(over()).toBe(1), PATIENCE);
  await world.push({ command: 'delete', worker_id: worker });
  await world.reach(worker, { phase: 'deleted' });
});
