import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { newCell } from '../../support/manager.ts';
import { startRedis } from '../../support/redis.ts';
import { wmOf } from '../wm.ts';

interface Report {
  ok: boolean;
  checks: { name: string; state: string; found: string; advice?: string }[];
}

/** Where the daemon listens, as a setting. */
const DOCKER_HOST = inject('dockerHost').startsWith('/')
  ? `unix://${inject('dockerHost')}`
  : inject('dockerHost');

async function doctor(
  redisUrl: string,
  env: Record<string, string>,
): Promise<{ code: number; reported: Report; state: object }> {
  const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const { code, out } = await wmOf({ redisUrl, cell: newCell(), home, env }).wm('doctor', '-o', 'json');
  const reported = JSON.parse(out) as Report;
  return {
    code,
    reported,
    state: Object.fromEntries(reported.checks.map(({ name, state }) => [name, state])),
  };
}

test('with all that is needed, doctor finds it, and Redis where containers look for it', async () => {
  const env = { RUNTIME: 'docker', DOCKER_HOST, WORKER_IMAGE: inject('image') };
  const { code, reported, state } = await doctor(inject('redisUrl'), env);
  expect(state).toMatchObject({
    Node: 'ok',
    Redis: 'ok',
    'Redis appendonly': 'ok',
    'Runtime docker': 'ok',
    'Worker image': 'ok',
    'Redis for containers': 'ok',
    Manager: 'hint',
  });
  expect({ code, ok: reported.ok }).toEqual({ code: 0, ok: true });
});

test('what is missing fails, with what to do about it', async () => {
  const nowhere = 'redis://192.0.2.1:1';
  const env = {
    RUNTIME: 'docker',
    DOCKER_HOST,
    WORKER_IMAGE: 'worker:never-built',
    WORKER_REDIS_URL: nowhere,
  };
  const { code, reported, state } = await doctor(inject('redisUrl'), env);
  expect(code).toBe(1);
  expect(state).toMatchObject({ 'Worker image': 'bad', 'Redis for containers': 'bad' });
  for (const { advice, state } of reported.checks) if (state === 'bad') expect(advice).toBeTruthy();
});

test('an engine that is not there fails alone, and is a hint beside another', async () => {
  const away = { DOCKER_HOST: 'unix:///nowhere.sock' };
  const alone = await doctor(inject('redisUrl'), { ...away, RUNTIME: 'docker' });
  expect(alone).toMatchObject({ code: 1, state: { 'Runtime docker': 'bad' } });
  const beside = await doctor(inject('redisUrl'), { ...away, RUNTIME: 'auto' });
  expect(beside.state).toMatchObject({
    'Runtime docker': 'hint',
    'Runtime process': 'ok',
    'User of direct workers': 'hint',
  });
});

test('a Redis that loses data is reported', async () => {
  const args = ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'];
  const redis = await startRedis({ appendonly: false, args });
  onTestFinished(() => redis.stop());
  const { code, state } = await doctor(redis.url, { RUNTIME: 'process' });
  expect(state).toMatchObject({ 'Redis maxmemory-policy': 'bad', 'Redis appendonly': 'hint' });
  expect(code).toBe(1);
});

test('a Redis that refuses commands is reported, with the reason', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  const refused = async (url = server.url) => {
    const { code, reported } = await doctor(url, { RUNTIME: 'process' });
    return { code, found: reported.checks.filter(({ name }) => name === 'Redis commands') };
  };
  const before = await redis.dbsize();
  expect(await refused()).toEqual({ code: 0, found: [] });
  expect(await redis.dbsize()).toBe(before);

  await redis.config('SET', 'maxmemory', '1');
  const advice = expect.stringContaining('raise maxmemory');
  expect(await refused()).toMatchObject({
    code: 1,
    found: [{ advice, found: expect.stringContaining('OOM for XADD') }],
  });
  await redis.config('SET', 'maxmemory', '0');

  await redis.acl('SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-xadd', '-eval');
  const limited = new URL(server.url);
  Object.assign(limited, { username: 'limited', password: 'secret' });
  const { code, found } = await refused(limited.href);
  expect({ code, found }).toMatchObject({ code: 1, found: [{ found: 'NOPERM for XADD, EVAL' }] });

  await redis.replicaof('127.0.0.1', 1);
  const replica = {
    advice: expect.stringContaining('REPLICAOF NO ONE'),
    found: expect.stringContaining('READONLY for XADD'),
  };
  expect(await refused()).toMatchObject({ code: 1, found: [replica] });
}, 60_000);
