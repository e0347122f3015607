/** Secrets reach the body and its agent, and stand nowhere else. Each secret is new, so that a search can mean nothing else. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { build } from 'esbuild';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, test, vi } from 'vitest';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { getKeys } from '../../src/store/keys.ts';
import { dockerAt } from '../support/docker.ts';
import { CREDENTIAL, FILE, type Found, LOOK } from './credential.ts';
import { specOf } from './subject.ts';

const PATIENCE = { timeout: 30_000, interval: 50 };
const run = promisify(execFile);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const docker = dockerAt(inject('dockerHost'));
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function bodyOf(spec: object, env: Record<string, string>, argv?: string[]) {
  const cell = `secrets-${randomUUID().slice(0, 8)}`;
  const runtime = createDockerRuntime({ cell, host: inject('dockerHost'), image: inject('image') });
  const worker_id = randomUUID();
  const order = {
    worker_id,
    incarnation: 1,
    spec: specOf(spec),
    spec_hash: 'a'.repeat(64),
    epoch: 1,
    env: { WORKER_ID: worker_id, WORKER_INCARNATION: '1', WORKER_CELL: cell, ...env },
    ...(argv ? { argv } : {}),
  };
  cleanups.push(async () => {
    for (const { id } of await runtime.list()) await runtime.remove(id);
    await runtime.dismantle();
    await runtime.close();
  });
  return { cell, runtime, order };
}

async function logsOf(container: Docker.Container): Promise<string> {
  return (await container.logs({ stdout: true, stderr: true, follow: false })).toString('utf8');
}

/** Everything that the engine returns or stores about a container, and what the machine shows of its processes. */
async function placesOf(container: Docker.Container, since: number): Promise<Record<string, string>> {
  const until = Math.ceil(Date.now() / 1000);
  const events = await docker.getEvents({ since, until } as Docker.GetEventsOptions);
  const info = await container.inspect();
  const exported = await container.export();
  const collect = async (stream: NodeJS.ReadableStream) => {
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(Buffer.from(part as Buffer));
    return Buffer.concat(parts).toString('latin1');
  };
  return {
    inspect: JSON.stringify(info),
    list: JSON.stringify(await docker.listContainers({ all: true })),
    top: JSON.stringify(await container.top({ ps_args: 'axeww' })),
    events: await collect(events),
    logs: await logsOf(container),
    export: await collect(exported),
    changes: JSON.stringify(await container.changes()),
    processes: (await run('ps', ['axww', '-o', 'args'], { maxBuffer: 2 ** 28 })).stdout,
  };
}

/** Files below the engine's own directories that hold one of these texts; of layers only this container's. */
async function searchEngine(container: Docker.Container, secrets: string[]): Promise<string[] | undefined> {
  // An engine of `npm run test:engines` has a root directory of its own.
  const engineRoot = process.env.TEST_ENGINE_ROOT ?? '';
  const { DockerRootDir } = (await docker.info()) as { DockerRootDir: string };
  const dataRoot = engineRoot + DockerRootDir;
  const { GraphDriver } = (await container.inspect()) as unknown as {
    GraphDriver: { Data?: Record<string, string> | null };
  };
  const upper = GraphDriver.Data?.UpperDir;
  if (!existsSync(dataRoot) || !upper || process.getuid?.() !== 0) {
    console.info(`the engine's own files were not searched: ${dataRoot} is not readable here`);
    return undefined;
  }
  const state = `${inject('dockerHost')
    .replace(/^unix:\/\//, '')
    .replace(/\/[^/]*$/, '')}/exec`;
  const places = [dataRoot, engineRoot + upper, ...(existsSync(state) ? [state] : [])];
  const layers = ['overlay2', 'tmp'].map((name) => `--exclude-dir=${name}`);
  const patterns = secrets.flatMap((secret) => ['-e', secret]);
  const search = (args: string[]) =>
    run('grep', ['-rlF', '--devices=skip', ...args]).then(
      ({ stdout }) => stdout.trim().split('\n'),
      // 1: no match. 2: files were removed during the search.
      (error: { code: number; stdout: string }) => error.stdout.trim().split('\n').filter(Boolean),
    );
  const [first = [], second = []] = await Promise.all([
    search([...layers, ...patterns, dataRoot]),
    search([...patterns, ...places.slice(1)]),
  ]);
  return [...first, ...second];
}

describe('a secret', () => {
  test('is a file for the agent, and is stored nowhere outside its body', async () => {
    const value = `wm-${randomBytes(24).toString('hex')}`;
    const redis = new Redis(inject('redisUrl'));
    cleanups.push(async () => redis.disconnect());
    const since = Math.floor(Date.now() / 1000) - 1;
    const command_line = ['bash', '-c', 'sha256sum "$SECRETS_PATH"/*; id -u; exec sleep 300'];
    const env = { REDIS_URL: inject('bodyRedisUrl'), WORKSPACE_PATH: '/workspace' };
    const { cell, runtime, order } = await bodyOf({ command_line, secrets: [FILE] }, env);
    const keys = getKeys(cell);
    cleanups.push(async () => {
      const own = await redis.keys(`${cell}:*`);
      if (own.length > 0) await redis.del(...own);
    });
    await redis.hset(keys.desired(order.worker_id), 'spec', JSON.stringify(order.spec));
    const { id } = await runtime.create(order);
    await runtime.start(id);
    const beat = async () => JSON.parse((await redis.get(keys.heartbeat(order.worker_id))) ?? '{}');
    await vi.waitFor(async () => expect(await beat()).toMatchObject({ needs_secrets: true }), PATIENCE);
    await vi.waitFor(() => runtime.deliver(id, JSON.stringify({ [FILE]: value })), PATIENCE);
    const output = async () => JSON.stringify(await redis.xrange(keys.output(order.worker_id), '-', '+'));
    await vi.waitFor(async () => expect(await output()).toContain(sha256(value)), PATIENCE);
    await vi.waitFor(async () => expect(await output()).toContain('10002'), PATIENCE);
    await vi.waitFor(async () => expect((await beat()).needs_secrets ?? false).toBe(false), PATIENCE);
    // There is no second delivery: the wrapper has removed the pipe.
    await expect(runtime.deliver(id, '{}')).rejects.toMatchObject({ code: 'conflict' });

    const container = docker.getContainer(id);
    const places = await placesOf(container, since);
    for (const [place, text] of Object.entries(places)) {
      expect(text.includes(value), place).toBe(false);
      // Confirms that the search covered the expected places.
      expect(text, place).toMatch(/\S/);
    }
    for (const place of ['inspect', 'list', 'events'])
      expect(places[place]?.includes(order.worker_id), place).toBe(true);
    expect(places.export?.includes('/worker/entry') || places.export?.includes('worker/entry')).toBe(true);
    for (const key of await redis.keys('*'))
      expect(((await redis.dumpBuffer(key)) ?? Buffer.alloc(0)).includes(value), key).toBe(false);
    const kept = await searchEngine(container, [value, order.worker_id]);
    // Finding the ID proves that the search works.
    if (kept) expect(kept.length).toBeGreaterThan(0);
    for (const file of kept ?? []) {
      // A container that the engine has replaced contains nothing any more.
      const text = await readFile(file, 'latin1').catch(() => '');
      expect(text.includes(value), file).toBe(false);
    }
  }, 120_000);

  test('that is the agent’s credential is used by the gateway and read by no tool', async () => {
    const [key, token] = [0, 1].map(() => `wm-${randomBytes(24).toString('hex')}`) as [string, string];
    const entry = new URL('./credential-driver.ts', import.meta.url).pathname;
    const options = { bundle: true, format: 'esm', platform: 'node', write: false, minify: true } as const;
    const made = await build({ entryPoints: [entry], ...options });
    const program = made.outputFiles[0]?.text ?? '';
    const wrapper = ['/worker/confine', '--user', '10001:10001,20000', '--keep', 'setuid,setgid,kill', '--'];
    const spec = { secrets: [CREDENTIAL, FILE] };
    const env = { SPEC: JSON.stringify(specOf(spec)), LOOK };
    const argv = [...wrapper, 'node', '--input-type=module', '-e', program];
    const { runtime, order } = await bodyOf(spec, env, argv);
    const { id } = await runtime.create(order);
    await runtime.start(id);
    const content = JSON.stringify({ [CREDENTIAL]: key, [FILE]: token });
    await vi.waitFor(() => runtime.deliver(id, content), PATIENCE);
    const container = docker.getContainer(id);
    const found = await vi.waitFor(async () => {
      const line = /\{"asked".*\}/.exec(await logsOf(container))?.[0];
      if (line === undefined) throw new Error(await logsOf(container));
      return JSON.parse(line) as Found;
    }, PATIENCE);
    expect(found).toMatchObject({
      asked: 'authenticated: true',
      hash: sha256(key),
      stderr: '',
      leaked: false,
    });
    const said = JSON.parse(found.said);
    // Everybody can read the command line and the like, but they contain no secret.
    expect(said.opened).toEqual([]);
    expect(said.refused).toHaveLength(18);
    expect(said).toMatchObject({ user: 10_002, changed: false, files: { [FILE]: sha256(token) } });
  }, 120_000);
});
