/** Checkpoints of real workers, in containers and as processes, while managers, bodies and disks fail. */
import { execFileSync } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import type { CheckpointView } from '../../src/model/index.ts';
import { createDecompressor } from '../../src/model/worker/decompress-archive.ts';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';

const LONG = { timeout: 120_000 };
const PATIENCE = { timeout: 60_000, interval: 20 };
const MISSING = 'a1b2c3d4-0000-4000-8000-000000000000';
const redisUrl = inject('redisUrl');
const cell = newCell();
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
const directory = join(home, '.checkpoints', cell);
const redis = new Redis(redisUrl);
const env = {
  RUNTIME: 'auto',
  DOCKER_HOST: `unix://${inject('dockerHost')}`,
  WORKER_IMAGE: inject('image'),
  WORKER_REDIS_URL: inject('bodyRedisUrl'),
};
const start = (more: Record<string, string> = {}) =>
  startManager({ redisUrl, cell, home, env: { ...env, ...more } });
let manager: Manager;

beforeAll(async () => {
  manager = await start();
}, 120_000);
afterAll(async () => {
  await manager.stop();
  const docker = createDockerRuntime({ cell, host: inject('dockerHost'), image: inject('image') } as never);
  await docker.dismantle();
  await docker.close();
  await cleanCell({ redisUrl, cell, home });
  redis.disconnect();
});

async function api<T = Record<string, string>>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${manager.url}/v1${path}`, {
    method,
    headers: { ...manager.headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw Object.assign(new Error(text), { status: response.status });
  return (text === '' ? {} : JSON.parse(text)) as T;
}
const failure = async (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('it did not fail');
    },
    ({ status, message }: { status: number; message: string }) => ({
      status,
      ...(JSON.parse(message) as { error: { code: string; message: string; reason?: string } }).error,
    }),
  );
async function create(runtime: string, more: object = {}, wait = '?wait=ready'): Promise<string> {
  const spec = { agent_type: 'CUSTOM', command_line: ['sleep', '600'], runtime, ...more };
  return (await api('POST', `/workers${wait}`, spec)).worker_id ?? '';
}
const stopAfter = (id: string) => onTestFinished(() => void api('DELETE', `/workers/${id}`).catch(() => {}));
async function exec(id: string, shell: string): Promise<string> {
  const { exit_code, stdout, stderr } = await api('POST', `/workers/${id}/exec`, { shell });
  expect([exit_code, stderr]).toEqual([0, '']);
  return stdout ?? '';
}
const take = (id: string) => api<CheckpointView>('POST', `/workers/${id}/checkpoints`);
const listOf = async (id: string) =>
  (await api<{ items: CheckpointView[] }>('GET', `/workers/${id}/checkpoints`)).items;
const events = async (id: string) =>
  (await redis.xrange(`${cell}:worker:${id}:events`, '-', '+')).map(([, [, text]]) =>
    JSON.parse(text ?? ''),
  ) as { type: string; reason: string; message: string }[];
const waitForStatus = (id: string, status: string) =>
  vi.waitFor(async () => expect((await api('GET', `/workers/${id}`)).status).toBe(status), PATIENCE);

const FILES = `mkdir -p src 'odd  name' .git/objects empty && chmod 700 empty && echo one > src/one &&
  printf x > "odd  name/$(printf 'a\\nb')" && echo '#!/bin/sh' > run && chmod 755 run && chmod 600 src/one &&
  ln -s run link && ln -s /nowhere dangling && ln run hard && echo ref > .git/HEAD && : > ./-rf && touch -d @1000000 src/one &&
  mkdir node_modules && echo big > node_modules/big && echo node_modules > .workerignore`;
const LISTING = `find . -mindepth 1 -path ./node_modules -prune -o -mindepth 1 -printf '%P|%y|%m|%l|%n|' -a '(' -type d -printf '\\n' -o -printf '%s|%Ts\\n' ')' | LC_ALL=C sort;
  find . -type f -not -path './node_modules/*' -exec cksum {} + | LC_ALL=C sort`;

describe.each(['process', 'docker'])('a worker on %s', (runtime) => {
  test('is saved, deleted and forked: its files are the same', LONG, async () => {
    const id = await create(runtime, { name: `first-${runtime}` });
    await exec(id, FILES);
    // Folders in a container belong to its group.
    const list = async (worker: string) => (await exec(worker, LISTING)).replace(/\|2(\d{3})\|/g, '|$1|');
    const before = await list(id);
    const one = await take(id);
    expect(one).toMatchObject({ worker_id: id, trigger: 'request', conversation: false, incarnation: 1 });
    // The same again takes no more space.
    const two = await take(id);
    expect([two.sha256, two.checkpoint_id === one.checkpoint_id]).toEqual([one.sha256, false]);
    const packs = [one, two].map(({ checkpoint_id }) => readdirSync(join(directory, checkpoint_id)).sort());
    expect(packs[1]).toEqual(packs[0]);
    expect((await listOf(id)).map(({ checkpoint_id }) => checkpoint_id)).toEqual([
      two.checkpoint_id,
      one.checkpoint_id,
    ]);
    await api('DELETE', `/workers/${id}?wait=deleted`);
    expect(await listOf(id)).toHaveLength(2);
    const fork = await create(runtime, { from_checkpoint: one.checkpoint_id });
    stopAfter(fork);
    expect(await list(fork)).toBe(before);
    expect(await exec(fork, 'ls')).not.toContain('node_modules');
    // Its own later files are not replaced.
    await exec(fork, 'rm src/one && echo two > two');
    await api('POST', `/workers/${fork}/restart?wait=ready`);
    expect(await exec(fork, 'ls src two')).toBe('two\n\nsrc:\n');
    const { spec } = await api<{ spec: { name: string } }>('GET', `/checkpoints/${one.checkpoint_id}`);
    expect(spec.name).toBe(`first-${runtime}`);
    for (const { checkpoint_id } of [one, two]) await api('DELETE', `/checkpoints/${checkpoint_id}`);
    expect(await failure(api('GET', `/checkpoints/${one.checkpoint_id}`))).toMatchObject({ status: 404 });
  });

  test('is filled by a successor if the manager is killed meanwhile', LONG, async () => {
    const id = await create(runtime);
    await exec(id, 'head -c 150000000 /dev/urandom > large && cksum large > sum');
    const { checkpoint_id } = await take(id);
    await api('DELETE', `/workers/${id}?wait=deleted`);
    const fork = await create(runtime, { from_checkpoint: checkpoint_id }, '');
    stopAfter(fork);
    const isRead = () =>
      readdirSync(join(directory, checkpoint_id)).some((name) => name.startsWith('reading-'));
    await vi.waitFor(() => expect(isRead()).toBe(true), { ...PATIENCE, interval: 1 });
    manager.kill('SIGKILL');
    await manager.exited;
    manager = await start();
    await waitForStatus(fork, 'RUNNING');
    expect(await exec(fork, 'cksum large | cmp - sum && ls -A')).toBe('large\nsum\n');
    await api('DELETE', `/checkpoints/${checkpoint_id}`);
  });

  test('is saved at its end, and that is kept after its deletion', LONG, async () => {
    const id = await create(runtime, { checkpoint: { on: ['stop'] } });
    await exec(id, 'echo last > last');
    await api('DELETE', `/workers/${id}?wait=deleted`);
    const [last, ...more] = await listOf(id);
    expect([last?.trigger, more]).toEqual(['stop', []]);
    const fork = await create(runtime, { from_checkpoint: last?.checkpoint_id });
    stopAfter(fork);
    expect(await exec(fork, 'cat last')).toBe('last\n');
  });
});

test(
  'a manager that is killed while it saves leaves nothing, and the worker keeps running',
  LONG,
  async () => {
    const id = await create('process');
    stopAfter(id);
    await exec(id, 'head -c 200000000 /dev/urandom > large');
    const cut = take(id).catch((error: unknown) => error);
    const tmp = join(directory, 'tmp');
    await vi.waitFor(
      () => expect(readdirSync(tmp).filter((name) => !name.startsWith('deleted'))).not.toEqual([]),
      { ...PATIENCE, interval: 1 },
    );
    manager.kill('SIGKILL');
    await manager.exited;
    expect(await cut).toBeInstanceOf(Error);
    manager = await start();
    expect(await listOf(id)).toEqual([]);
    expect((await take(id)).bytes).toBeGreaterThan(200_000_000);
  },
);

test('a body that ends while it is saved leaves nothing', LONG, async () => {
  const id = await create('process');
  stopAfter(id);
  await exec(id, 'head -c 200000000 /dev/urandom > large');
  const tmp = join(directory, 'tmp');
  const writers = () => readdirSync(tmp).filter((name) => !name.startsWith('deleted'));
  // The manager that was killed has left one.
  const before = writers();
  const taking = failure(take(id));
  // The body has begun to send.
  const received = () =>
    writers().flatMap((name) => (before.includes(name) ? [] : readdirSync(join(tmp, name))));
  await vi.waitFor(() => expect(received()).not.toEqual([]), { ...PATIENCE, interval: 1 });
  const pid = await redis.hget(`${cell}:worker:${id}:status`, 'pid');
  process.kill(-Number(pid), 'SIGKILL');
  expect(await taking).toMatchObject({ status: 503, reason: 'body_lost' });
  expect(await listOf(id)).toEqual([]);
  await vi.waitFor(() => expect(writers().filter((name) => !before.includes(name))).toEqual([]), PATIENCE);
});

test('a fork of a checkpoint that does not exist fails with the reason', LONG, async () => {
  const id = await create('process', { from_checkpoint: MISSING }, '');
  await waitForStatus(id, 'FAILED');
  const { reason, message } = await api('GET', `/workers/${id}`);
  expect(reason).toBe('WorkspaceSourceFailed');
  expect(message).toContain(MISSING);
  expect(await failure(take(id))).toMatchObject({ status: 409, code: 'conflict' });
  expect(await failure(take(MISSING))).toMatchObject({ status: 404 });
  expect(await failure(api('GET', '/checkpoints/..%2f..%2fetc/archive'))).toMatchObject({ status: 400 });
});

test('an archive is downloaded as it is stored, and can be unpacked', LONG, async () => {
  const id = await create('process');
  stopAfter(id);
  await exec(id, 'echo hello > file');
  const { checkpoint_id, bytes } = await take(id);
  const response = await fetch(`${manager.url}/v1/checkpoints/${checkpoint_id}/archive`, {
    headers: manager.headers,
  });
  expect(response.headers.get('content-length')).toBe(String(bytes));
  const folder = mkdtempSync(join(tmpdir(), 'wm-download-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await pipeline(
    Readable.fromWeb(response.body as never),
    createDecompressor('tar.zst', 'This Node'),
    createWriteStream(join(folder, 'a.tar')),
  );
  expect(execFileSync('tar', ['-tf', 'a.tar'], { cwd: folder, encoding: 'utf8' })).toBe('./file\n');
});

test('changes are those of git, and a worker without git has none', LONG, async () => {
  const id = await create('process');
  stopAfter(id);
  await exec(id, 'echo one > one');
  const read = async (worker: string, query = '') => {
    const response = await fetch(`${manager.url}/v1/workers/${worker}/changes${query}`, {
      headers: manager.headers,
    });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  };
  expect(await read(id)).toMatchObject({
    status: 200,
    type: 'text/x-diff; charset=utf-8',
    text: expect.stringContaining('+one'),
  });
  expect(await read(id, '?format=names')).toMatchObject({ text: 'A\tone\n' });
  expect(await read(id, '?format=bundle')).toMatchObject({ status: 409 });
  expect(await read(id, '?since=yesterday')).toMatchObject({ status: 400 });
  const container = await create('docker');
  stopAfter(container);
  expect(await read(container)).toMatchObject({ status: 422, text: expect.stringContaining('module GIT') });
});

test('several at once, and two managers, save one worker one after the other', LONG, async () => {
  const id = await create('process');
  stopAfter(id);
  const standby = await start();
  const all = await Promise.all([take(id), take(id), take(id)]);
  const other = await fetch(`${standby.url}/v1/workers/${id}/checkpoints`, {
    method: 'POST',
    headers: manager.headers,
  });
  expect(other.status).toBe(201);
  expect(new Set(all.map(({ checkpoint_id }) => checkpoint_id)).size).toBe(3);
  expect(await listOf(id)).toHaveLength(4);
  await standby.stop();
});

test('a worker is saved at an interval, of which the newest are kept', LONG, async () => {
  const id = await create('process', { checkpoint: { on: ['interval'], interval_seconds: 5, keep: 1 } });
  stopAfter(id);
  const first = await vi.waitFor(async () => {
    const [one] = await listOf(id);
    expect(one?.trigger).toBe('interval');
    return one?.checkpoint_id;
  }, PATIENCE);
  await vi.waitFor(async () => {
    const all = await listOf(id);
    expect([all.length, all[0]?.checkpoint_id === first]).toEqual([1, false]);
  }, PATIENCE);
});

test('a full store is reported, and the worker keeps running', LONG, async () => {
  await manager.stop();
  manager = await start({ CHECKPOINT_BUDGET: '100k' });
  const id = await create('process', { checkpoint: { on: ['interval'], interval_seconds: 5 } });
  stopAfter(id);
  await exec(id, 'head -c 1000000 /dev/urandom > large');
  expect(await failure(take(id))).toMatchObject({
    status: 429,
    code: 'capacity',
    reason: 'CheckpointFailed',
  });
  const failed = await vi.waitFor(async () => {
    const found = (await events(id)).find(({ reason }) => reason === 'CheckpointFailed');
    expect(found).toBeDefined();
    return found;
  }, PATIENCE);
  expect(failed?.message).toContain('CHECKPOINT_BUDGET');
  expect(await exec(id, 'wc -c < large')).toBe('1000000\n');
  // A folder that is not there, and cannot be made.
  await manager.stop();
  const file = join(home, 'a file');
  writeFileSync(file, '');
  manager = await start({ CHECKPOINT_DIR: join(file, 'below') });
  expect(await failure(take(id))).toMatchObject({ status: 503, reason: 'CheckpointFailed' });
  expect((await api('GET', `/workers/${id}`)).status).toBe('RUNNING');
  await manager.stop();
  manager = await start();
  expect(existsSync(directory)).toBe(true);
});

test('a worker that has never been ready is filled by the manager that comes', LONG, async () => {
  const source = await create('process');
  await exec(source, `head -c 1000 /dev/urandom > x`);
  const { checkpoint_id } = await take(source);
  await api('DELETE', `/workers/${source}?wait=deleted`);
  const id = await create('process', { from_checkpoint: checkpoint_id }, '');
  manager.kill('SIGKILL');
  await manager.exited;
  mkdirSync(directory, { recursive: true });
  manager = await start();
  stopAfter(id);
  await waitForStatus(id, 'RUNNING');
  expect(await exec(id, 'wc -c < x')).toBe('1000\n');
});
