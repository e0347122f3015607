/**
 * The worker-node document as written: its compose files, its `docker run` line and its Python clients, with
 * only image, Redis and ports changed.
 */
import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { createImages, machineCa } from '../../src/images/index.ts';
import { workerSpec } from '../../src/model/index.ts';
import { connectCommands, type Link, Store } from '../../src/store/index.ts';
import { freePort } from '../support/free-port.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const run = promisify(execFile);
const SEEDS = join(import.meta.dirname, 'seeds');
const START_MS = 90_000;
const soon = { timeout: START_MS, interval: 200 };

/** docker-compose of Debian, or the plugin of a newer docker. */
const COMPOSE = [['docker-compose'], ['docker', 'compose']].find(
  ([program = '', ...args]) => spawnSync(program, [...args, 'version'], { stdio: 'ignore' }).status === 0,
);

let redis: RedisServer;
let image: string;
let env: NodeJS.ProcessEnv;
let store: Store;
let link: Link;
beforeAll(async () => {
  const host = inject('dockerHost');
  const images = createImages({ host, version: 'test', ca: machineCa() });
  image = await images.buildNow(workerSpec.parse({ agent_type: 'TASK', runtime: 'docker' }));
  await images.close();
  redis = await startRedis();
  link = connectCommands(redis.url);
  store = new Store(link, 'default');
  const dockerHost = host.startsWith('/') ? `unix://${host}` : host;
  env = { ...process.env, DOCKER_HOST: dockerHost, NODE_IMAGE: image, NODE_REDIS_URL: redis.bodyUrl };
}, 300_000);
afterAll(async () => {
  link.disconnect();
  await redis.stop();
});

const docker = async (...args: string[]) => (await run('docker', args, { env })).stdout.trim();

/** Its verbs on one of the files, in a project of the test's own, which is removed at the end. */
function project(file: string, more: NodeJS.ProcessEnv = {}) {
  const [program = '', ...first] = COMPOSE ?? [];
  const name = `seeds${randomUUID().slice(0, 8)}`;
  const options = { env: { ...env, ...more }, cwd: SEEDS };
  const compose = (...args: string[]) =>
    run(program, [...first, '-p', name, '-f', join(SEEDS, file), ...args], options);
  onTestFinished(async () => void (await compose('down', '-v', '-t', '5')));
  const containers = async () => (await compose('ps', '-q')).stdout.trim().split('\n');
  return { compose, containers };
}

const nodes = async () => (await store.summaries()).filter(({ external }) => external);
const ready = (count: number) =>
  expect.poll(async () => (await nodes()).filter(({ phase }) => phase === 'ready').length, soon).toBe(count);

/** What the engine will find at its next health check, 30 s after the start. */
async function isHealthy(container: string): Promise<boolean> {
  const { Test } = JSON.parse(await docker('inspect', '-f', '{{json .Config.Healthcheck}}', container));
  const [kind, ...words] = Test as string[];
  const argv = kind === 'CMD-SHELL' ? ['sh', '-c', ...words] : words;
  return spawnSync('docker', ['exec', container, ...argv], { env, stdio: 'ignore' }).status === 0;
}

test('the compose file: three nodes, and the clients of the document', {
  timeout: START_MS + 60_000,
}, async (context) => {
  if (!COMPOSE) return context.skip('There is no docker-compose here, and it could not be installed.');
  const ports = [await freePort(), await freePort(), await freePort()].map(String);
  const [PORT_1, PORT_2, PORT_3] = ports;
  const { compose, containers } = project('docker-compose.yml', { PORT_1, PORT_2, PORT_3 });
  await compose('up', '-d');
  await ready(3);
  expect((await nodes()).map(({ worker_id }) => worker_id).sort()).toEqual([
    'worker-1',
    'worker-2',
    'worker-3',
  ]);
  const urls = ports.map((port) => `http://localhost:${port}`);
  const { stdout } = await run('python3', [join(SEEDS, 'client.py'), ...urls], { timeout: 60_000 });
  expect(stdout.trim().split('\n')).toEqual([
    'healthy 3',
    'submitted queued',
    'result [2, 4, 6]',
    'error ValueError: no such colour',
    'ran 3',
    '404 There is no task nowhere in the queue of this node.',
  ]);
  for (const container of await containers()) expect(await isHealthy(container)).toBe(true);
  const log = async () => (await compose('logs', '--no-color')).stdout;
  for (const line of [
    /node started .*slots=4/,
    /node started .*slots=8/,
    /INFO +task completed in [\d.]+ s task_id=task-1 function=process_data/,
    /INFO +processing \[1, 2, 3\] task_id=task-1/,
    /ERROR task failed after [\d.]+ s task_id=task-2 .*error="ValueError: no such colour"/,
  ])
    await expect.poll(log).toMatch(line);
  // Service names resolve to the nodes within the network of the project.
  const [first = ''] = await containers();
  expect(await docker('exec', first, 'curl', '-sf', 'http://worker2:5000/health')).toContain(
    '"status":"healthy"',
  );
});

test('docker-compose up -d --scale worker=5: five nodes with unique names', {
  timeout: START_MS + 60_000,
}, async (context) => {
  if (!COMPOSE) return context.skip('There is no docker-compose here, and it could not be installed.');
  const { compose, containers } = project('docker-compose.scale.yml');
  await compose('up', '-d', '--scale', 'worker=5');
  await ready(5);
  const ids = await containers();
  const names = (await nodes()).map(({ worker_id }) => worker_id);
  expect(names.sort()).toEqual(ids.map((id) => id.slice(0, 12)).sort());
  for (const id of ids) expect(await isHealthy(id)).toBe(true);
  // The documented defaults of a node.
  const log = (await compose('logs', '--no-color')).stdout;
  const limits =
    'slots=4 queue_size=100 max_cpu_percent=90 max_memory_percent=85 task_timeout=300 health_check_interval=30';
  expect(log.split(limits)).toHaveLength(6);
});

test('the docker run line: one node, and a second one of the same name fails', {
  timeout: START_MS + 30_000,
}, async () => {
  const port = String(await freePort());
  const name = `seeds-${randomUUID().slice(0, 8)}`;
  const start = (as: string, ...more: string[]) => {
    onTestFinished(async () => void (await docker('rm', '-f', as)));
    const settings = ['-e', 'WORKER_ID=worker-1', '-e', 'MAX_WORKERS=4', '-e', `REDIS_URL=${redis.bodyUrl}`];
    return docker('run', '-d', '--name', as, ...more, ...settings, image);
  };
  await start(name, '-p', `${port}:5000`);
  await ready(1);
  const health = await (await fetch(`http://localhost:${port}/health`)).json();
  expect(health).toMatchObject({ status: 'healthy', active_tasks: 0, queue_size: 0 });
  await start(`${name}-2`);
  expect(await docker('wait', `${name}-2`)).toBe('78');
  expect(await docker('logs', `${name}-2`)).toMatch(
    /ERROR WORKER_ID is "worker-1", and another running node/,
  );
});
