import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { connectCommands, findHazards, readRedisFacts } from '../../src/store/index.ts';
import { MAIN, managerEnv, newCell, startManager } from '../support/manager.ts';
import { startRedis } from '../support/redis.ts';

const PATIENCE = { timeout: 30_000, interval: 20 };

async function evictingRedis() {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = connectCommands(server.url);
  onTestFinished(() => redis.disconnect());
  await redis.config('SET', 'maxmemory', '200mb', 'maxmemory-policy', 'allkeys-lru');
  return { server, redis };
}

test('a Redis whose CONFIG is forbidden shows in INFO that it evicts, but not whether it has snapshots', async () => {
  const { server, redis } = await evictingRedis();
  await redis.config('SET', 'save', '', 'appendonly', 'no');
  await redis.acl('SETUSER', 'plain', 'on', '>secret', '~*', '+@all', '-config');
  const url = new URL(server.url);
  [url.username, url.password] = ['plain', 'secret'];
  const plain = connectCommands(url.href);
  onTestFinished(() => plain.disconnect());
  expect(findHazards(await readRedisFacts(plain)).map(({ present }) => present)).toEqual(['yes', 'unknown']);
  expect(findHazards(await readRedisFacts(redis)).map(({ present }) => present)).toEqual(['yes', 'yes']);
});

test('a manager reports an evicting Redis in the log, the details of /readyz and a metric', async () => {
  const { server } = await evictingRedis();
  const manager = await startManager({ redisUrl: server.url, cell: newCell() });
  onTestFinished(async () => void (await manager.stop()));
  await vi.waitFor(async () => {
    const answer = await fetch(`${manager.url}/readyz`);
    const { checks } = (await answer.json()) as { checks: Record<string, { message: string }> };
    expect(answer.status).toBe(200);
    expect(checks.redis_settings?.message).toContain('set maxmemory-policy noeviction');
  }, PATIENCE);
  expect(manager.log()).toContain('this Redis may lose data');
  const metrics = await (await fetch(`${manager.url}/metrics`)).text();
  expect(metrics).toContain('worker_manager_redis_hazard{hazard="eviction"} 1');
});

test('with REDIS_STRICT=true a manager rejects such a Redis, and reports what to set', async () => {
  const { server, redis } = await evictingRedis();
  const env = managerEnv({ redisUrl: server.url, cell: newCell(), env: { REDIS_STRICT: 'true' } });
  const ended = promisify(execFile)(process.execPath, [MAIN, 'serve'], { env });
  await expect(ended).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/REDIS_STRICT is true.*set maxmemory-policy noeviction/),
  });
  expect(await redis.keys('*leader*')).toEqual([]);
});
