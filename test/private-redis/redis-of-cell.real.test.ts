/** The private Redis of a cell, with a real server. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { endRedisOfCell, openRedisOfCell, type RedisOfCellOptions } from '../../src/private-redis/index.ts';
import { choosePort } from '../../src/private-redis/redis-port.ts';

function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'wm-redis-of-cell-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

async function open(home: string, more: Partial<RedisOfCellOptions> = {}) {
  const log: string[] = [];
  const redis = await openRedisOfCell({
    home,
    cell: 'default',
    bodyHosts: [],
    dockerHost: 'unix:///nowhere',
    log: (line) => log.push(line),
    ...more,
  });
  onTestFinished(async () => void (await redis.stop()));
  return { ...redis, log };
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

test('its data, port and password are kept, and it stays running if it must', async () => {
  const home = newHome();
  const first = await open(home);
  await ask(first.url, (redis) => redis.set('kept', 'yes'));
  expect(await first.stop()).toBe('stopped');
  await expect(ask(first.url, (redis) => redis.ping())).rejects.toThrow();
  const second = await open(home);
  expect(second.url).toBe(first.url);
  expect(await ask(second.url, (redis) => redis.get('kept'))).toBe('yes');
  expect(await second.stop(true)).toBe('running');
  expect(await ask(second.url, (redis) => redis.get('kept'))).toBe('yes');
  expect(await endRedisOfCell({ home, cell: 'default' })).toBe(true);
  await expect(ask(first.url, (redis) => redis.ping())).rejects.toThrow();
});

test('a snapshot that is put back into its folder is read, and later writes are kept as well', async () => {
  const home = newHome();
  const first = await open(home);
  await ask(first.url, async (redis) => {
    await redis.set('saved', 'yes');
    await redis.save();
    await redis.set('after', 'lost with the rest');
  });
  await first.stop();
  rmSync(join(first.directory, 'appendonlydir'), { recursive: true });
  const second = await open(home);
  expect(await ask(second.url, (redis) => redis.mget('saved', 'after'))).toEqual(['yes', null]);
  await ask(second.url, (redis) => redis.set('new', 'yes'));
  await expect
    .poll(() => ask(second.url, (redis) => redis.info('persistence')), { timeout: 10_000 })
    .toMatch(/aof_enabled:1\r\naof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/);
  await second.stop();
  const third = await open(home);
  expect(await ask(third.url, (redis) => redis.mget('saved', 'new'))).toEqual(['yes', 'yes']);
});

test('a server that is killed while a manager uses it runs again, on the same port and with its data', async () => {
  const home = newHome();
  const first = await open(home);
  const second = await open(home);
  expect(second.joined).toBe(true);
  const pid = async () => /process_id:(\d+)/.exec(await ask(first.url, (redis) => redis.info('server')))?.[1];
  await ask(first.url, (redis) => redis.config('SET', 'appendfsync', 'always'));
  await ask(first.url, (redis) => redis.set('kept', 'yes'));
  const old = await pid();
  process.kill(Number(old), 'SIGKILL');
  await expect.poll(() => pid().catch(() => old), { timeout: 10_000 }).not.toBe(old);
  expect(await ask(first.url, (redis) => redis.get('kept'))).toBe('yes');
  await expect.poll(() => [...first.log, ...second.log]).toHaveLength(1);
  // Whichever of them launched it, the last one ends it.
  expect([await first.stop(), await second.stop()]).toEqual(['shared', 'stopped']);
});

test('a port file that names another server, or nothing, is not believed', async () => {
  const home = newHome();
  const directory = join(home, 'redis-default');
  mkdirSync(directory);
  const stranger = createServer((socket) => socket.end());
  const port = await choosePort();
  await new Promise<void>((resolve) => stranger.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void stranger.close());
  writeFileSync(join(directory, 'password'), 'secret');
  writeFileSync(join(directory, 'port'), String(port));
  const taken = await open(home);
  expect(taken.port).not.toBe(port);
  expect(taken.log.join()).toContain(`Port ${port} of the private Redis is used by another program`);
  expect(readFileSync(join(directory, 'port'), 'utf8')).toBe(String(taken.port));
  await taken.stop();
  writeFileSync(join(directory, 'port'), 'not a port');
  expect((await open(home)).port).toBeGreaterThan(0);
});

test('it also listens where containers reach this machine, even if it was started without them', async () => {
  const home = newHome();
  await open(home);
  const host = new URL(inject('bodyRedisUrl')).hostname;
  const { url, joined } = await open(home, { bodyHosts: [host, 'host.docker.internal', '192.0.2.1'] });
  expect(joined).toBe(true);
  const near = new URL(url);
  near.hostname = host;
  expect(await ask(near.href, (redis) => redis.ping())).toBe('PONG');
  Object.assign(near, { username: '', password: '' });
  await expect(ask(near.href, (redis) => redis.ping())).rejects.toThrow(/NOAUTH/);
});

test('a folder that cannot be written is named', async () => {
  const home = newHome();
  writeFileSync(join(home, 'file'), '');
  await expect(open(join(home, 'file'))).rejects.toThrow(
    /cannot keep its data in .*file\/redis-default: E(NOTDIR|EXIST).*WORKER_MANAGER_HOME/,
  );
});
