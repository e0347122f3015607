/** Checkpoints with an engine that goes away, a disk that is full, and bodies that were warm before. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connect, type ManagerConnection, type WorkerHandle } from '../../src/client/index.ts';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { type DockerProxy, startDockerProxy } from '../support/docker-proxy.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { startS3Server } from '../support/s3-server.ts';

const LONG = { timeout: 120_000 };
const PATIENCE = { timeout: 60_000, interval: 20 };
const redisUrl = inject('redisUrl');
const cell = newCell();
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
const redis = new Redis(redisUrl);
let proxy: DockerProxy;
let manager: Manager;
let client: ManagerConnection;

async function start(more: Record<string, string> = {}): Promise<void> {
  const env = {
    RUNTIME: 'auto',
    DOCKER_HOST: `unix://${proxy.socket}`,
    WORKER_IMAGE: inject('image'),
    WORKER_REDIS_URL: inject('bodyRedisUrl'),
    RESYNC_SECONDS: '1',
    ...more,
  };
  manager = await startManager({ redisUrl, cell, home, env });
  client = connect({ url: manager.url, token: manager.token });
}
beforeAll(async () => {
  proxy = await startDockerProxy(inject('dockerHost'));
  await start();
}, 120_000);
afterAll(async () => {
  await manager.stop();
  await proxy.close();
  const docker = createDockerRuntime({ cell, host: inject('dockerHost'), image: inject('image') } as never);
  await docker.dismantle();
  await docker.close();
  await cleanCell({ redisUrl, cell, home });
  redis.disconnect();
});

const create = (runtime: 'docker' | 'process', more: object = {}, wait = true): Promise<WorkerHandle> =>
  client.workers.create(
    { agent_type: 'CUSTOM', command_line: ['sleep', '600'], runtime, ...more },
    wait ? { wait: 'ready' } : {},
  );
const run = async (worker: WorkerHandle, command: string) => (await worker.commands.run(command)).stdout;
const ready = (worker: WorkerHandle) =>
  expect.poll(async () => (await worker.refresh()).status, PATIENCE).toBe('RUNNING');

test('a worker waits for its files while the engine is away', LONG, async () => {
  const worker = await create('docker');
  await run(worker, 'echo one > one');
  const { checkpoint_id } = await worker.checkpoint();
  // The engine goes away as soon as the body has been started.
  let started = false;
  proxy.misbehave = ({ url }) => {
    if (started) return { status: 503, text: 'away' };
    started = /\/containers\/[^/]+\/start/.test(url);
    return undefined;
  };
  const fork = await create('docker', { from_checkpoint: checkpoint_id }, false);
  const waits = async () =>
    (await redis.get(`${cell}:worker:${fork.id}:heartbeat`))?.includes('"needs_checkpoint":true') ?? false;
  await expect.poll(waits, PATIENCE).toBe(true);
  proxy.cutAll();
  expect((await fork.refresh()).status).toBe('STARTING');
  proxy.misbehave = () => undefined;
  await ready(fork);
  expect(await run(fork, 'cat one')).toBe('one\n');
  await Promise.all([worker.delete(), fork.delete()]);
});

test('a worker that claims a warm body starts with its files', LONG, async () => {
  const source = await create('process');
  await run(source, 'echo one > one');
  const { checkpoint_id } = await source.checkpoint();
  await client.pools.apply({
    name: 'spare',
    warm: 1,
    execution_mode: 'direct',
    template: { agent_type: 'CUSTOM', command_line: ['sleep', '600'] },
  } as never);
  const warm = async () =>
    (await redis.keys(`${cell}:worker:*:heartbeat`)).length > 1 &&
    (await client.pools.get('spare')).status?.warm === 1;
  await expect.poll(warm, PATIENCE).toBe(true);
  const worker = await create('process', { from_checkpoint: checkpoint_id });
  const claims = await redis.hgetall(`${cell}:worker:bodies`);
  expect(Object.keys(claims)).toContain(worker.id);
  expect(await run(worker, 'cat one')).toBe('one\n');
  await client.pools.delete('spare');
  await Promise.all([worker.delete(), source.delete()]);
});

test('a worker whose commands are locked is saved and forked', { timeout: 240_000 }, async () => {
  await manager.stop();
  // The proxy in front of the engine passes no archives on.
  await start({ WORKER_IMAGE: '', DOCKER_HOST: `unix://${inject('dockerHost')}` });
  const worker = await create('docker', { allowed_commands: ['id'], start_deadline_seconds: 200 });
  await run(worker, 'mkdir a ignored; echo x > a/b; echo y > ignored/y; echo ignored > .workerignore');
  const { checkpoint_id } = await worker.checkpoint();
  await expect(worker.changes()).rejects.toMatchObject({ code: 'unsupported' });
  const fork = await worker.fork({}, { checkpoint: checkpoint_id, wait: 'ready' });
  expect(await run(fork, 'find . -type f ! -name "*.md"; cat a/b; echo z >> a/b; cat a/b')).toBe(
    './.workerignore\n./a/b\nx\nx\nz\n',
  );
  expect((await fork.commands.run('tar --version')).exit_code).toBe(126);
  await Promise.all([worker.delete(), fork.delete()]);
  await manager.stop();
  await start();
});

test('files that belong to each body are restored in each', LONG, async () => {
  const source = await create('process');
  await run(source, 'echo one > one');
  const { checkpoint_id } = await source.checkpoint();
  const worker = await create('process', { from_checkpoint: checkpoint_id, workspace: { persist: 'body' } });
  await run(worker, 'rm one; echo two > two');
  await worker.restart({ wait: 'ready' });
  expect(await run(worker, 'ls')).toBe('one\n');
  await Promise.all([worker.delete(), source.delete()]);
});

test('checkpoints are stored in a bucket of S3, which may be away', LONG, async () => {
  const server = await startS3Server();
  try {
    await manager.stop();
    const keys = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'very secret' };
    await start({ CHECKPOINT_DIR: server.url, ...keys });
    const worker = await create('process');
    await run(worker, 'head -c 3000000 /dev/urandom > large; cksum large > sum');
    // The agent gets none of the manager's keys.
    expect(await run(worker, 'env')).not.toContain('AWS_');
    const { checkpoint_id: id } = await worker.checkpoint();
    await worker.delete();
    const fork = await create('process', { from_checkpoint: id });
    expect(await run(fork, 'cksum large | cmp - sum && ls')).toBe('large\nsum\n');
    server.fail = (method) => (method === 'PUT' ? 403 : undefined);
    await expect(fork.checkpoint()).rejects.toMatchObject({ status: 503 });
    server.fail = () => 403;
    await expect(client.checkpoints.list()).rejects.toMatchObject({
      status: 503,
      message: expect.stringMatching(/The bucket bucket at .* does not allow this/),
    });
    server.fail = () => undefined;
    expect((await client.checkpoints.list()).items.map(({ checkpoint_id }) => checkpoint_id)).toEqual([id]);
    expect(manager.log()).not.toContain('very secret');
    await fork.delete();
  } finally {
    await manager.stop();
    server.close();
    await start();
  }
});

/** A disk of 1 MB; undefined if this user cannot mount one. */
function mountSmallDisk(): string | undefined {
  const folder = join(home, 'full');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    return undefined;
  }
}

test('a full disk is reported, leaves nothing, and can be used again', LONG, async (context) => {
  const mounted = mountSmallDisk();
  if (mounted === undefined) return context.skip('A disk cannot be mounted.');
  try {
    await manager.stop();
    await start({ CHECKPOINT_DIR: mounted });
    const worker = await create('process', { checkpoint: { on: ['stop'] } });
    await run(worker, 'head -c 3000000 /dev/urandom > large');
    await expect(worker.checkpoint()).rejects.toMatchObject({
      code: 'capacity',
      message: /CHECKPOINT_DIR is full/,
    });
    const left = join(mounted, cell, 'tmp');
    expect(existsSync(left) ? readdirSync(left) : []).toEqual([]);
    await run(worker, 'rm large; echo small > small');
    expect((await worker.checkpoint()).bytes).toBeLessThan(1000);
    await run(worker, 'head -c 3000000 /dev/urandom > large');
    // Its end is not delayed, and not prevented.
    await worker.stop({ wait: 'ended' });
    expect(worker.status).toBe('STOPPED');
    const reasons = [];
    for await (const { reason } of worker.events({ follow: false })) reasons.push(reason);
    expect(reasons).toContain('CheckpointFailed');
    await worker.start({ wait: 'ready' });
    expect(await run(worker, 'ls')).toBe('large\nsmall\n');
    await worker.delete();
  } finally {
    await manager.stop();
    execFileSync('umount', ['-l', mounted]);
    await start();
  }
});
