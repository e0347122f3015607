import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, expect, inject, onTestFinished, test, vi } from 'vitest';
import { ensureRedis, type RedisOptions } from '../../scripts/redis.ts';
import { dockerAt } from '../support/docker.ts';

afterEach(() => vi.unstubAllEnvs());

async function start(options: RedisOptions) {
  vi.stubEnv('REDIS_URL', '');
  const found = await ensureRedis(() => {}, options);
  if ('error' in found) throw new Error(found.error);
  onTestFinished(async () => void (await found.stop()));
  return found;
}

async function ask<T>(url: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 });
  redis.on('error', () => {});
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

test('a private Redis listens only on loopback, and is removed with its files', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'wm-redis-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  vi.stubEnv('TMPDIR', directory);
  const { url, stop } = await start({});
  expect(await ask(url, (redis) => redis.config('GET', 'bind'))).toEqual(['bind', '127.0.0.1']);
  expect(readdirSync(directory)).toHaveLength(1);
  await stop();
  await expect(ask(url, (redis) => redis.ping())).rejects.toThrow();
  expect(readdirSync(directory)).toEqual([]);
});

test('a Redis that containers can reach requires a password', async () => {
  const { url, bodyUrl = '' } = await start({ docker: dockerAt(inject('dockerHost')) });
  expect(new URL(bodyUrl).hostname).not.toBe('127.0.0.1');
  expect(await ask(bodyUrl, (redis) => redis.ping())).toBe('PONG');
  const { hostname, port } = new URL(bodyUrl);
  await expect(ask(`redis://${hostname}:${port}`, (redis) => redis.ping())).rejects.toThrow(/NOAUTH/);
  expect(await ask(url, (redis) => redis.ping())).toBe('PONG');
});

test('if there is no server program, a container is used, and removed afterwards', async () => {
  const docker = dockerAt(inject('dockerHost'));
  const filters = { label: [`worker-manager.private-redis=${process.pid}`] };
  const { url, stop } = await start({ docker, ways: ['container'], image: inject('redisImage') });
  expect(await ask(url, (redis) => redis.ping())).toBe('PONG');
  const [{ Id = '' } = {}, ...others] = await docker.listContainers({ filters });
  expect(others).toEqual([]);
  const { password } = new URL(url);
  expect(password).not.toBe('');
  expect(JSON.stringify(await docker.getContainer(Id).inspect())).not.toContain(password);
  await stop();
  await expect.poll(() => docker.listContainers({ all: true, filters }), { timeout: 10_000 }).toEqual([]);
});

test('if no Redis can be started, the alternatives are listed', async () => {
  vi.stubEnv('REDIS_URL', '');
  const found = await ensureRedis(() => {}, { ways: [] });
  expect(found).toMatchObject({
    error: expect.stringMatching(/REDIS_URL.*redis-server.*valkey-server.*Docker.*root/s),
  });
});
