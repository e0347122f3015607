/** A disk without room for what a body needs: reported as such, retried with a growing delay, and recovered from. */
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { MAIN, managerEnv } from '../support/manager.ts';
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

test('a log that cannot be written ends no manager', async () => {
  const world = await openWorld('process');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const cell = { redisUrl: inject('redisUrl'), cell: world.cell.name, home: world.home };
  const env = managerEnv({ ...cell, env: { HTTP_PORT: String(port) } });
  const run = `exec "$0" "$1" serve >/dev/full 2>&1`;
  const manager = spawn('sh', ['-c', run, process.execPath, MAIN], { env, stdio: 'ignore' });
  onTestFinished(() => void manager.kill('SIGKILL'));
  const exited = once(manager, 'exit');
  const status = async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status;
  await expect.poll(status, PATIENCE).toBe(200);
  const worker = randomUUID();
  await world.create(worker);
  await world.reach(worker, { status: 'RUNNING', reason: '' });
  await world.push({ command: 'delete', worker_id: worker });
  await world.reach(worker, { phase: 'deleted' });
  expect(await status()).toBe(200);
  manager.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});
