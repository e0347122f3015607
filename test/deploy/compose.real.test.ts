/**
 * deploy/compose.yaml as it is, with images built here: a worker runs, and survives that the manager's container is
 * killed, replaced and stopped. Grafana is left out, because its image cannot be built without a registry.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { ensureCompose } from '../../scripts/compose.ts';
import { dockerAt } from '../support/docker.ts';
import { buildManagerImage, ensurePrometheusImage, ensureRedisImage } from './images.ts';
import { prepareStack, type Stack } from './stack.ts';

const log = (line: string) => console.info(`[deploy] ${line}`);
const SOON = { timeout: 40_000, interval: 100 };
const SERVICES = ['redis', 'engine-proxy', 'manager', 'prometheus'];
/** A user who may see what Redis has denied to the others. */
const OBSERVER = 'user observer on nopass ~* &* -@all +acl|log';

const compose = ensureCompose(log);
if ('error' in compose) log(`skipped: ${compose.error}`);
else log('Grafana is left out: its image comes from a registry, and Debian has no package of it.');

describe.skipIf('error' in compose)('the compose file', () => {
  const docker = dockerAt(inject('dockerHost'));
  const MANAGER_IMAGE = `worker-manager-test:${process.pid}`;
  let stack: Stack;

  const wm = async (...args: string[]) => stack.compose('exec', '-T', 'manager', 'wm', ...args);
  const api = async (method: string, path: string, json?: object) => {
    const headers = {
      authorization: `Bearer ${stack.secret('api_token')}`,
      'content-type': 'application/json',
    };
    const body = json && JSON.stringify(json);
    const answer = await fetch(stack.url + path, { method, headers, ...(body && { body }) });
    return { status: answer.status, body: (await answer.json()) as { task_id?: string; worker_id?: string } };
  };
  const isReady = async () => (await fetch(`${stack.url}/readyz`).catch(() => undefined))?.status;
  const service = async (name: string) => docker.getContainer(await stack.container(name)).inspect();
  /** The container of a worker: which, since when, and whether it runs. */
  async function body(id: string) {
    const filters = { label: [`worker-manager.worker-id=${id}`] };
    const [found] = await docker.listContainers({ all: true, filters });
    if (!found) return undefined;
    const { Id, State, Config } = await docker.getContainer(found.Id).inspect();
    return { id: Id, started: State.StartedAt, running: State.Running, image: Config.Image };
  }
  /** What Redis has denied to its users since it started. */
  const denials = async () => {
    const log = ['redis-cli', '--user', 'observer', '--pass', 'x', '--no-auth-warning', 'ACL', 'LOG'];
    return (await stack.compose('exec', '-T', 'redis', ...log)).trim();
  };
  /** Sends a prompt, and waits for its answer. */
  async function converse(id: string, word: string): Promise<void> {
    await wm('send', id, word);
    await expect.poll(() => wm('logs', id), SOON).toContain(`heard ${word}`);
  }

  beforeAll(async () => {
    const baseImage = inject('baseImage');
    const [REDIS_IMAGE, PROMETHEUS_IMAGE] = await Promise.all([
      ensureRedisImage(docker, inject('redisImage')),
      ensurePrometheusImage(docker, baseImage),
      buildManagerImage(docker, MANAGER_IMAGE, baseImage),
    ]);
    stack = await prepareStack(compose as string[], {
      dockerHost: inject('dockerHost'),
      images: { REDIS_IMAGE, PROMETHEUS_IMAGE, MANAGER_IMAGE },
    });
    appendFileSync(join(stack.directory, 'manager.env'), `WORKER_BASE_IMAGE=${baseImage}\n`);
    appendFileSync(join(stack.directory, 'secrets', 'redis_users'), `${OBSERVER}\n`);
    await stack.compose('up', '-d', '--no-build', '--wait', '--wait-timeout', '90', ...SERVICES);
  }, 300_000);

  afterAll(async () => {
    if (stack) await removeAll();
    await docker.getImage(MANAGER_IMAGE).remove({ force: true });
  }, 60_000);

  async function removeAll(): Promise<void> {
    // It would replace the workers that are removed.
    await stack.compose('stop', 'manager');
    const filters = { label: [`worker-manager.cell=${stack.cell}`] };
    for (const { Id } of await docker.listContainers({ all: true, filters }))
      await docker.getContainer(Id).remove({ force: true, v: true });
    for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove();
    await stack.remove();
  }

  test('a worker answers, whatever happens to the manager', { timeout: 180_000 }, async () => {
    const script = 'while read -r line; do echo "heard $line"; done';
    const spec = { agent_type: 'CUSTOM', command_line: ['sh', '-c', script] };
    const created = await api('POST', '/v1/workers?wait=running&timeout_seconds=40', spec);
    expect(created).toMatchObject({ status: 201, body: { status: 'RUNNING', runtime: 'docker' } });
    const id = created.body.worker_id ?? '';
    await converse(id, 'one');
    const before = await body(id);
    // The manager's image has the same wrapper as this checkout, so it has built nothing.
    expect(before).toMatchObject({ running: true, image: inject('image') });
    expect(await denials()).toBe('');

    const killed = await service('manager');
    await docker.getContainer(killed.Id).kill({ signal: 'SIGKILL' });
    await stack.compose('up', '-d', '--no-build', '--force-recreate', 'manager');
    await expect.poll(isReady, SOON).toBe(200);
    expect((await service('manager')).Id).not.toBe(killed.Id);
    await converse(id, 'two');
    expect(await body(id)).toEqual(before);

    // It shuts down before the end of the grace period, and gives its lease back.
    await stack.compose('stop', 'manager');
    expect((await service('manager')).State.ExitCode).toBe(0);
    expect(await body(id)).toEqual(before);

    // A backup, and its restore into an empty volume, with the commands of docs/deploy.md.
    const tar = ['run', '--rm', '--no-deps', '-T', 'redis', 'tar', '-C', '/data'];
    await stack.compose('stop', 'redis');
    await stack.pipe({ to: 'redis.tar' }, ...tar, '-c', '.');
    await stack.compose('rm', '-f', 'redis');
    await docker.getVolume(`${stack.cell}_redis`).remove();
    await stack.pipe({ from: 'redis.tar' }, ...tar, '-x');
    await stack.compose('up', '-d', '--no-build', '--wait', '--wait-timeout', '90', ...SERVICES);
    await converse(id, 'three');
    expect(await body(id)).toEqual(before);
    expect(JSON.parse(await wm('status', id, '-o', 'json'))).toMatchObject({
      status: 'RUNNING',
      incarnation: 1,
    });
  });

  test('a worker claims a warm body, a pool runs a task, and Redis has denied nothing that the product needs', async () => {
    const template = { agent_type: 'CUSTOM', command_line: ['cat'] };
    for (const pool of [
      { name: 'jobs', count: 1, commands: true },
      { name: 'agents', count: 0, warm: 1, template },
    ])
      expect((await api('POST', '/v1/pools', pool)).status).toBe(201);
    const agents = async () => (await api('GET', '/v1/pools/agents')).body;
    await expect.poll(agents, SOON).toMatchObject({ status: { warm: 1 } });
    const claim = await api('POST', '/v1/workers?wait=ready&timeout_seconds=40', template);
    expect(claim.body.worker_id).toBeDefined();
    // Its container was created for the warm worker.
    expect(await body(claim.body.worker_id ?? '')).toBeUndefined();
    const task = { pool: 'jobs', payload: { command: ['echo', 'done'] } };
    const submitted = await api('POST', '/v1/tasks', task);
    const read = async () => (await api('GET', `/v1/tasks/${submitted.body.task_id}`)).body;
    await expect.poll(read, SOON).toMatchObject({ status: 'completed', result: { stdout: 'done\n' } });
    expect(await denials()).toBe('');
  });

  test('the Redis user of the workers cannot command the manager or read other keys', async () => {
    const redis = new Redis(stack.secret('worker_redis_url'), { maxRetriesPerRequest: 1 });
    onTestFinished(() => redis.disconnect());
    const command = JSON.stringify({ command: 'list', request_id: 'x' });
    const key = (name: string) => `${stack.cell}:${name}`;
    for (const denied of [
      () => redis.xadd(key('worker:commands'), '*', 'data', command),
      () => redis.get(key('worker:leader')),
      () => redis.zcard(key('workers')),
      () => redis.hgetall(key('pool:jobs')),
      () => redis.keys('*'),
      () => redis.scan('0'),
      () => redis.flushall(),
      () => redis.config('GET', 'dir'),
      () => redis.acl('LIST'),
      () => redis.eval(`return redis.call('GET', KEYS[1])`, 1, key('worker:leader')),
    ])
      await expect(denied()).rejects.toThrow(/NOPERM|ACL failure/);
  });

  test('no container shows a password or a token, and none has more rights than it needs', async () => {
    const own = stack.secrets.flatMap((text) => [text, ...(/:([0-9a-f]{64})@/.exec(text)?.slice(1) ?? [])]);
    for (const name of SERVICES) {
      const info = await service(name);
      const text = JSON.stringify(info);
      for (const value of own) expect(text).not.toContain(value.trim());
      const { CapDrop, CapAdd, ReadonlyRootfs, Privileged, SecurityOpt } = info.HostConfig;
      expect([name, CapDrop, CapAdd, ReadonlyRootfs, Privileged]).toEqual([name, ['ALL'], null, true, false]);
      expect(SecurityOpt).toContain('no-new-privileges:true');
      const sockets = info.Mounts.filter(({ Destination }) => Destination === '/var/run/docker.sock');
      expect([name, sockets.length]).toEqual([name, name === 'engine-proxy' ? 1 : 0]);
    }
    expect((await service('engine-proxy')).HostConfig.NetworkMode).toBe('none');
  });

  test('the manager can make only its own calls to Docker', async () => {
    const ask = (path: string) =>
      stack.compose(
        ...['exec', '-T', 'manager', 'node', '-e'],
        `require('http').get({ socketPath: '/run/engine/docker.sock', path: '${path}' }, ({ statusCode }) => { console.log(statusCode); process.exit(); })`,
      );
    expect((await ask('/info')).trim()).toBe('200');
    expect((await ask('/volumes')).trim()).toBe('403');
    const { Id } = await service('redis');
    expect((await ask(`/containers/${Id}/logs?stdout=true`)).trim()).toBe('403');
    expect(await stack.compose('logs', 'engine-proxy')).toContain('GET /volumes');
  });

  test('the manager knows how much space is free on the disk of the engine', async () => {
    const difference = async () => {
      const metrics = await (await fetch(`${stack.url}/metrics`)).text();
      const free = Number(/image_disk_bytes\{kind="free"\} (\S+)/.exec(metrics)?.[1]);
      const { bavail, bsize } = await statfs((await docker.info()).DockerRootDir);
      return Math.abs(free - bavail * bsize);
    };
    // Others use the disk, and it is not measured all the time.
    await expect.poll(difference, SOON).toBeLessThan(2 * 1024 ** 3);
  });

  test('Prometheus reads the metrics of the manager', async () => {
    const up = async () => {
      const answer = await fetch(`${stack.prometheusUrl}/api/v1/query?query=up`).catch(() => undefined);
      return (await answer?.json()) as unknown;
    };
    const value = [expect.any(Number), '1'];
    await expect
      .poll(up, SOON)
      .toMatchObject({ data: { result: [{ metric: { job: 'worker-manager' }, value }] } });
  });

  test('the image has a health check, a list of its packages, and no shell', async () => {
    const { Config } = await docker.getImage(MANAGER_IMAGE).inspect();
    expect(Config).toMatchObject({
      User: '65532:65532',
      Healthcheck: { Test: ['CMD', 'node', '-e', expect.stringContaining('/readyz')] },
      Labels: {
        'org.opencontainers.image.title': 'worker-manager',
        'org.opencontainers.image.version': expect.stringMatching(/^\d+\.\d+\.\d+/),
        'org.opencontainers.image.licenses': 'Apache-2.0',
      },
    });
    expect((await service('manager')).State.Health?.Status).toBe('healthy');
    const print = `console.log(require('fs').readFileSync('/app/sbom.cdx.json', 'utf8'))`;
    const sbom = JSON.parse(await stack.compose('exec', '-T', 'manager', 'node', '-e', print));
    const packages = sbom.components.map(({ name }: { name: string }) => name);
    expect(packages).toContain('ioredis');
    expect(packages).not.toContain('vitest');
    // 126 and 127: the program does not exist.
    const noShell = { code: expect.toSatisfy((code) => code === 126 || code === 127) };
    await expect(stack.compose('exec', '-T', 'manager', 'sh', '-c', 'true')).rejects.toMatchObject(noShell);
  });

  test('passwords and the token are replaced while a worker runs, with the commands of docs/deploy.md', {
    timeout: 180_000,
  }, async () => {
    const script = 'while read -r line; do echo "heard $line"; done';
    const spec = { agent_type: 'CUSTOM', command_line: ['sh', '-c', script] };
    const created = await api('POST', '/v1/workers?wait=running&timeout_seconds=40', spec);
    const id = created.body.worker_id ?? '';
    const before = await body(id);
    const secrets = ['api_token', 'redis_url', 'worker_redis_url'];
    const old = secrets.map(stack.secret);
    for (const name of secrets) rmSync(join(stack.directory, 'secrets', name));
    expect(spawnSync('sh', [join(stack.directory, 'prepare.sh')]).status).toBe(0);
    for (const text of secrets.map(stack.secret)) expect(old).not.toContain(text);
    const force = ['--no-build', '--force-recreate', '--wait', '--wait-timeout', '90'];
    await stack.compose('up', '-d', ...force, ...SERVICES);
    expect((await api('GET', '/v1/workers')).status).toBe(200);
    await converse(id, 'again');
    expect(await body(id)).toEqual(before);
    // A worker that is created now has the new password.
    const late = await api('POST', '/v1/workers?wait=running&timeout_seconds=40', spec);
    await converse(late.body.worker_id ?? '', 'me');
  });
});
