import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { getKeys } from '../../src/store/keys.ts';
import { cleanCell, MAIN, newCell, startManager } from '../support/manager.ts';
import { startRedis } from '../support/redis.ts';
import { wmOf } from './wm.ts';

const redisUrl = inject('redisUrl');

/** A cell without a manager; its keys are removed when the test ends. */
function lonely() {
  const cell = newCell();
  onTestFinished(async () => {
    const redis = new Redis(redisUrl);
    const keys = await redis.keys(`${cell}:*`);
    if (keys.length > 0) await redis.del(keys);
    redis.disconnect();
  });
  return { cell, ...wmOf({ redisUrl, cell }) };
}

test('wrong usage exits 2 and lists what is available', async () => {
  const { wm } = lonely();
  expect(await wm('crate')).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean create?') });
  // What docker and kubectl call otherwise.
  for (const [line, says] of [
    ['inspect x', 'Use `wm describe ID`.'],
    ['rm -f x', '`wm delete` also ends a worker that runs.'],
    ['tasks show x', 'Use `wm tasks get TASK`.'],
    ['pools ls', 'Use `wm pools`.'],
  ] as const)
    expect(await wm(...line.split(' '))).toMatchObject({ code: 2, err: expect.stringContaining(says) });
  expect(await wm()).toMatchObject({ code: 2, out: '' });
  expect(await wm('ps', '--nope')).toMatchObject({ code: 2 });
  expect(await wm('status')).toMatchObject({
    code: 2,
    err: expect.stringContaining("missing required argument 'id'"),
  });
  expect(await wm('wait', '--for=SLEEPING', 'x')).toMatchObject({
    code: 2,
    err: expect.stringContaining('RUNNING'),
  });
  expect(await wm('create')).toMatchObject({ code: 2, err: expect.stringContaining('after --') });
  expect(await wm('create', '--cpus', 'two', '--', 'true')).toMatchObject({ code: 2 });
  expect(await wm('create', '-f', '/nowhere.json')).toMatchObject({
    code: 2,
    err: expect.stringContaining('ENOENT'),
  });
  expect(await wm('ps', '--filter', 'colour=red')).toMatchObject({
    code: 2,
    err: expect.stringContaining('label='),
  });
  expect(await wm('--help')).toMatchObject({ code: 0, out: expect.stringContaining('explain') });
});

test('a full disk is one line, and not a success', () => {
  const full = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(full));
  const run = spawnSync(process.execPath, [MAIN, 'config'], { stdio: ['ignore', full, 'pipe'] });
  expect([run.status, run.stderr.toString()]).toEqual([
    1,
    'error: The output cannot be written: ENOSPC: no space left on device, write.\n',
  ]);
});

test('an unanswered command exits with 124 and stays, and the next manager carries it out', async () => {
  const { cell, wm } = lonely();
  const { code, out, err } = await wm(
    'create',
    '--timeout',
    '0.3s',
    '--request-id',
    'r-1',
    '--',
    'sleep',
    '60',
  );
  expect({ code, out }).toEqual({ code: 124, out: '' });
  expect(err).toContain(`No manager leads the cell ${cell}`);
  expect(err).toContain('--request-id r-1');
  const manager = await startManager({ redisUrl, cell });
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ redisUrl, cell, home: manager.home });
  });
  const again = await wm('create', '--wait', '--request-id', 'r-1', '--', 'sleep', '60');
  expect(again).toMatchObject({ code: 0, err: '' });
  expect((await wm('ps', '-q', '--no-trunc')).out).toBe(again.out);
});

test('a long wait for an answer prints why there is none', async () => {
  const { cell, wm } = lonely();
  const { code, err } = await wm('create', '--wait', '--timeout', '12s', '--', 'sleep', '60');
  expect(code).toBe(124);
  expect(err).toMatch(new RegExp(`^note: No manager leads the cell ${cell}; .* Still waiting\\.$`, 'm'));
});

test('explain reports a missing leader', async () => {
  const { cell, wm } = lonely();
  const redis = new Redis(redisUrl);
  onTestFinished(() => redis.disconnect());
  const id = '00000000-0000-4000-8000-000000000001';
  const spec = { agent_type: 'CUSTOM', command_line: ['true'], runtime: 'process' };
  const record = { desired: 'running', generation: 1, created_at: new Date().toISOString(), request_id: 'r' };
  await redis.hset(`${cell}:worker:${id}`, { ...record, spec: JSON.stringify(spec) });
  await redis.zadd(`${cell}:workers`, 1, id);
  // As an accepted command leaves it: no decision was recorded yet.
  await redis.hset(`${cell}:workers:index`, id, '1.0');
  const { code, out } = await wm('explain', '0000');
  expect(code).toBe(0);
  expect(out).toMatch(/Actions +create body 1/);
  expect(out).toMatch(/Manager +none leads/);
  expect(await redis.exists(`${cell}:worker:${id}:status`)).toBe(0);
});

test('a Redis that is missing or does not respond gives one clear line without its password', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const { start } = lonely();
  for (const port of [1, (silent.address() as AddressInfo).port]) {
    const REDIS_URL = `redis://user:geheim@127.0.0.1:${port}`;
    const { code, out, err } = await start(['ps'], undefined, { REDIS_URL }).done;
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^error: Redis does not answer at redis:\/\/\*\*\*@127\.0\.0\.1:\d+ \(.*\)\. .*\n$/);
  }
  const REDIS_URL = 'redis://127.0.0.1:1';
  const { err } = await start(['ps'], undefined, { REDIS_URL, LOG_LEVEL: 'debug' }).done;
  expect(err).toMatch(/\n {4}at /);
});

test('a reader that has seen enough ends a verb quietly', async () => {
  const { start } = lonely();
  const follow = start(['config']);
  follow.child.stdout?.destroy();
  expect(await follow.done).toMatchObject({ code: 0, err: '' });
});

test('a wrong setting stops serve with its name, and doctor reports it', async () => {
  const { start } = lonely();
  const env = { LEASE_SECONDS: 'soon' };
  const served = await start(['serve'], undefined, env).done;
  expect(served).toMatchObject({ code: 2, err: expect.stringContaining('LEASE_SECONDS is "soon"') });
  const asked = await start(['doctor'], undefined, env).done;
  expect(asked).toMatchObject({ code: 1, out: expect.stringContaining('✗ Settings') });
});

test('serve goes at the first signal', async () => {
  const { start } = lonely();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const serve = start(['serve']);
    onTestFinished(() => void serve.child.kill('SIGKILL'));
    await expect.poll(serve.out, { timeout: 20_000 }).toContain('manager started');
    serve.child.kill(signal);
    expect((await serve.done).code).toBe(0);
  }
});

test('serve ends although Redis holds it up, and a second SIGTERM does not cut it short', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const { start } = wmOf({ redisUrl: redis.url, cell: newCell() });
  const serve = start(['serve']);
  onTestFinished(() => void serve.child.kill('SIGKILL'));
  await expect.poll(serve.out, { timeout: 20_000 }).toContain('"leading"');
  await redis.pause();
  serve.child.kill('SIGTERM');
  await expect.poll(serve.out, { timeout: 20_000 }).toContain('shutting down');
  serve.child.kill('SIGTERM');
  expect((await serve.done).code).toBe(0);
  await redis.unpause();
});

// It went on in database 0, among the keys of others.
test('a database that Redis does not have is an error, and nothing is done in another one', async () => {
  const { wm } = wmOf({ redisUrl: `${inject('redisUrl')}/99`, cell: newCell() });
  const { code, err } = await wm('create', '--timeout', '3s', '--', 'true');
  expect(code).toBe(1);
  expect(err).toMatch(
    /database 99 cannot be selected: ERR DB index is out of range\)\. Set REDIS_URL to another one/,
  );
});

test('logs -f of several workers continues after Redis was killed, and ends with the last of them', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const cell = newCell();
  const keys = getKeys(cell);
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  const ids = ['1', '2'].map((last) => `0b0e7f3e-0000-4000-8000-00000000000${last}`);
  const spec = JSON.stringify({ agent_type: 'CUSTOM', command_line: ['true'], runtime: 'process' });
  const record = {
    spec,
    desired: 'running',
    generation: 1,
    created_at: new Date().toISOString(),
    request_id: 'r',
  };
  const report = async (id: string, status: string, phase: string) => {
    const fields = { incarnation: 1, restarts: 0, runtime: 'process', observed_generation: 1 };
    await redis.hset(keys.status(id), { ...fields, status, phase, reason: '', message: '' });
    await redis.xadd(keys.events(id), '*', 'data', JSON.stringify({ status, phase }));
  };
  const write = (id: string, content: string) =>
    redis.xadd(keys.output(id), '*', 'data', JSON.stringify({ seq: 1, type: 'stdout', content }));
  for (const id of ids) {
    await redis.hset(keys.desired(id), record);
    await redis.zadd(keys.workers, 1, id);
    await report(id, 'RUNNING', 'ready');
  }
  const follow = wmOf({ redisUrl: server.url, cell }).start(['logs', '-f', '--raw', ...ids]);
  onTestFinished(() => void follow.child.kill('SIGKILL'));
  await write(ids[0] ?? '', 'before');
  await expect.poll(follow.out, { timeout: 20_000 }).toBe('before\n');
  await server.kill();
  await server.start();
  await write(ids[1] ?? '', 'after');
  await expect.poll(follow.out, { timeout: 20_000 }).toBe('before\nafter\n');
  await report(ids[0] ?? '', 'STOPPED', 'finished');
  await write(ids[1] ?? '', 'the end');
  await report(ids[1] ?? '', 'FAILED', 'finished');
  expect(await follow.done).toEqual({ code: 0, out: 'before\nafter\nthe end\n', err: '' });
});

test('a Redis that refuses a command is named, with where to look', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  const { wm } = wmOf({ redisUrl: server.url, cell: newCell() });
  const says = (why: string) => `error: Redis at ${server.url} refuses this (${why}`;
  const tries = async () => (await wm('create', '--', 'true')).err;
  await redis.config('SET', 'maxmemory', '1');
  expect(await tries()).toContain(says('OOM command not allowed'));
  await redis.config('SET', 'maxmemory', '0');
  await redis.replicaof('127.0.0.1', 1);
  expect(await tries()).toContain(says('READONLY'));
  expect(await tries()).toContain('`wm doctor` shows what to do.');
});
