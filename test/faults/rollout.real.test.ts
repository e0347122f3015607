/** A graceful rollout: SIGTERM gives the lease back, and the next manager leads within a second. */
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { RECORD_FORMAT } from '../../src/model/index.ts';
import { getKeys } from '../../src/store/keys.ts';
import { wmOf } from '../cli/wm.ts';
import { cleanCell, newCell, startManager } from '../support/manager.ts';

/** What the user is promised is 1 s; a busy machine schedules late. */
const BOUND_MS = 3000;
const ID = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const WAIT = { timeout: 20_000, interval: 5 };

async function openCell() {
  const redisUrl = inject('redisUrl');
  const cell = newCell();
  const redis = new Redis(redisUrl);
  onTestFinished(() => redis.disconnect());
  const keys = getKeys(cell);
  const leaderPid = async () => /-(\d+)-/.exec((await redis.get(keys.leader)) ?? '')?.[1];
  const epoch = async () => Number((await redis.get(keys.leader))?.split(' ').at(-1) ?? 0);
  return { redisUrl, cell, redis, keys, leaderPid, epoch };
}

test('after SIGTERM the next manager leads at once, and the worker stays', { timeout: 60_000 }, async () => {
  const { redisUrl, cell, redis, keys, leaderPid, epoch } = await openCell();
  // With this lease, a manager that kept it would lead for half a minute after its end.
  const options = { redisUrl, cell, env: { LEASE_SECONDS: '30' } };
  let first = await startManager(options);
  const { home } = first;
  onTestFinished(() => cleanCell({ redisUrl, cell, home }));
  await expect.poll(leaderPid, WAIT).toBe(String(first.pid));
  const create = {
    command: 'create',
    request_id: 'r',
    worker_id: ID,
    agent_type: 'CUSTOM',
    command_line: ['cat'],
  };
  await redis.xadd(keys.commands, '*', 'data', JSON.stringify(create));
  const status = () => redis.hmget(keys.status(ID), 'status', 'pid', 'restarts');
  await expect.poll(async () => (await status())[0], WAIT).toBe('RUNNING');
  const running = await status();

  const took: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const next = await startManager({ ...options, home });
    onTestFinished(() => next.kill('SIGKILL'));
    const before = await epoch();
    const began = performance.now();
    first.kill('SIGTERM');
    await expect.poll(epoch, WAIT).toBeGreaterThan(before);
    took.push(performance.now() - began);
    expect(await leaderPid()).toBe(String(next.pid));
    expect(await first.exited).toBe(0);
    first = next;
  }
  console.log(`from SIGTERM to the next epoch: ${took.map((ms) => `${Math.round(ms)} ms`).join(', ')}`);
  expect(Math.max(...took)).toBeLessThan(BOUND_MS);
  expect(await status()).toEqual(running);
  await first.stop();
});

test('a manager does not lead on records of a newer format, and says so everywhere', {
  timeout: 60_000,
}, async () => {
  const { redisUrl, cell, redis, keys, leaderPid } = await openCell();
  await redis.hset(keys.identity, 'format', RECORD_FORMAT + 1);
  const before = await redis.hgetall(keys.identity);
  const manager = await startManager({ redisUrl, cell });
  const { url, home } = manager;
  onTestFinished(() => cleanCell({ redisUrl, cell, home }));
  const ready = async () => {
    const response = await fetch(`${url}/readyz`);
    const { checks } = (await response.json()) as { checks: { records?: { message: string } } };
    return `${response.status} ${checks.records?.message ?? ''}`;
  };
  await expect.poll(ready, WAIT).toMatch(/^503 The records of this cell have format 2, .* changes nothing/);
  expect(manager.log()).toMatch(/The records of this cell have format 2.*"cannot lead"/);
  const submitted = await fetch(`${url}/task/submit`, {
    method: 'POST',
    headers: manager.headers,
    body: JSON.stringify({ payload: { function: 'add' } }),
  });
  expect([submitted.status, await submitted.text()]).toEqual([503, expect.stringContaining('format 2')]);
  const doctor = await wmOf({ redisUrl, cell, home }).wm('doctor');
  expect(doctor.code).toBe(1);
  expect(doctor.out).toMatch(/✗ Records: format 2/);
  expect(await redis.hgetall(keys.identity)).toEqual(before);
  expect(await leaderPid()).toBe(undefined);

  // The format was wrong, and is corrected: the manager leads without a restart.
  await redis.hset(keys.identity, 'format', RECORD_FORMAT);
  await expect.poll(leaderPid, WAIT).toBe(String(manager.pid));
  await expect.poll(ready, WAIT).toMatch(/^200/);
  await manager.stop();
});
