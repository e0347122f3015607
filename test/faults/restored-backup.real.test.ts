/** A backup of Redis that is older than a running worker. */
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test, vi } from 'vitest';
import { choosePort } from '../../src/private-redis/redis-port.ts';
import { findRedisServer, launchRedisServer } from '../../src/private-redis/redis-server.ts';
import { openWorld, PATIENCE } from './world.ts';

const found = findRedisServer();
if ('error' in found) console.info(`skipped: ${found.error}`);

test.skipIf('error' in found)(
  'with REMOVAL_BREAKER_SHARE=0, a worker that a restored backup does not know is kept',
  {
    timeout: 120_000,
  },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'wm-backup-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const plan = { port: await choosePort(), addresses: ['127.0.0.1'], password: undefined };
    const launch = async () => {
      const server = await launchRedisServer('program' in found ? found.program : '', plan, directory);
      if ('error' in server) throw new Error(server.error);
      return server;
    };
    let server = await launch();
    onTestFinished(() => server.stop());
    const url = `redis://127.0.0.1:${plan.port}`;
    const world = await openWorld('process', { url, bodyUrl: url });
    const [old, late] = [randomUUID(), randomUUID()];
    let manager = await world.start();
    await world.create(old);
    await world.reach(old, { phase: 'ready' });
    const redis = new Redis(url);
    await redis.save();
    redis.disconnect();
    const backup = join(directory, 'backup.rdb');
    copyFileSync(join(directory, 'dump.rdb'), backup);
    await world.create(late);
    await world.reach(late, { phase: 'ready' });
    await manager.stop();
    await server.stop();
    rmSync(join(directory, 'appendonlydir'), { recursive: true });
    copyFileSync(backup, join(directory, 'dump.rdb'));
    server = await launch();

    const bodies = async () => (await world.bodies()).map(({ worker_id }) => worker_id).sort();
    manager = await world.start(undefined, { REMOVAL_BREAKER_SHARE: '0' });
    const breaker = async () => {
      const response = await fetch(`${manager.url}/readyz`);
      return ((await response.json()) as { checks: Record<string, { ok: boolean }> }).checks.removal_breaker
        ?.ok;
    };
    await expect.poll(breaker, PATIENCE).toBe(false);
    const lines = () => manager.log().match(/too many orphans; nothing is removed/g)?.length;
    expect(manager.log()).toContain(`"worker_ids":["${late}"]`);
    // Some sweeps later, both still run, and the log has not grown.
    const sweeps = async () =>
      Number(
        /resync_duration_seconds_count (\d+)/.exec(await (await fetch(`${manager.url}/metrics`)).text())?.[1],
      );
    const before = await sweeps();
    await vi.waitFor(async () => expect(await sweeps()).toBeGreaterThan(before + 3), PATIENCE);
    expect(await bodies()).toEqual([old, late].sort());
    expect(lines()).toBe(1);
    await manager.stop();

    manager = await world.start();
    await expect.poll(bodies, PATIENCE).toEqual([old]);
    await world.push({ command: 'delete', worker_id: old });
    await world.reach(old, { phase: 'deleted' });
    await manager.stop();
  },
);
