/** Task workers in both runtimes, as seen by a client that only uses HTTP. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { dismantle } from '../../scripts/demo/cleanup.ts';
import type { TaskView } from '../../src/model/index.ts';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { connectCommands, getKeys, Store } from '../../src/store/index.ts';
import { dockerAt } from '../support/docker.ts';
import { cleanCell, newCell, startManager } from '../support/manager.ts';

const run = promisify(execFile);
const CLIENT = join(import.meta.dirname, 'task_client.py');
const NODES = 2;
const HANDLERS = `
from worker_manager import handler
import os, time

@handler
def add(a, b):
    return a + b

@handler
def echo(value):
    return value

@handler
def refuse(why):
    raise ValueError(why)

@handler
def nap(seconds):
    time.sleep(seconds)
    return os.environ["WORKER_ID"]
`;
const SAID = (nodes: number) => [
  'added 3',
  'echoed low normal high critical',
  'failed ValueError because None',
  ...Array.from({ length: nodes }, () => 'asked 42'),
  'again 42',
  `busy ${nodes} of ${nodes}`,
  `completed ${6 + nodes} failed 1`,
  'prometheus True',
  'refused 404 not_found',
  'refused 400 invalid_command',
];
/** The image of task workers is built if it is missing: Python from Debian, 10 s and more. */
const BUILD_MS = 300_000;

async function handlersDir(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'handlers-'));
  await chmod(directory, 0o755);
  await writeFile(join(directory, 'handlers.py'), HANDLERS, { mode: 0o644 });
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A manager with task workers; returns their addresses. */
async function startWorkers(runtime: 'process' | 'docker') {
  const redisUrl = inject('redisUrl');
  const cell = newCell();
  const host = inject('dockerHost');
  const directory = await handlersDir();
  const dockerHost = host.startsWith('/') ? `unix://${host}` : host;
  const docker = {
    DOCKER_HOST: dockerHost,
    WORKER_BASE_IMAGE: inject('baseImage'),
    WORKER_REDIS_URL: inject('bodyRedisUrl'),
  };
  const manager = await startManager({
    redisUrl,
    cell,
    env: { RUNTIME: runtime, HANDLERS_DIR: directory, ...(runtime === 'docker' ? docker : {}) },
  });
  const redis = connectCommands(redisUrl);
  onTestFinished(async () => {
    redis.disconnect();
    await manager.stop();
    const image = 'worker:none';
    if (runtime === 'docker') await dismantle(createDockerRuntime({ cell, host, image }));
    await cleanCell({ redisUrl, cell, home: manager.home });
  });
  const store = new Store(redis, cell);
  for (let made = 0; made < NODES; made += 1) {
    const command = {
      command: 'create',
      request_id: randomUUID(),
      agent_type: 'TASK',
      runtime,
      handlers: ['handlers.py'],
      env: { HEALTH_CHECK_INTERVAL: '0.2' },
    };
    await redis.xadd(getKeys(cell).commands, '*', 'data', JSON.stringify(command));
  }
  const workers = async () => (await store.summaries()).flatMap(({ node_url }) => node_url ?? []);
  await expect.poll(workers, { timeout: BUILD_MS, interval: 100 }).toHaveLength(NODES);
  return { nodes: await workers(), manager, store };
}

test.each(['process', 'docker'] as const)(
  'a client of the standard library uses task workers of the %s runtime',
  {
    timeout: BUILD_MS + 60_000,
  },
  async (runtime) => {
    const { nodes, manager } = await startWorkers(runtime);
    const { stdout } = await run('python3', [CLIENT, ...nodes], { timeout: 55_000 });
    expect(stdout.trim().split('\n')).toEqual(SAID(NODES));
    // The manager reports the same tasks, with their workers.
    const { headers } = manager;
    const task = await (await fetch(`${manager.url}/task/the-answer`, { headers })).json();
    expect(task).toMatchObject({ status: 'completed', result: 42, pool: 'default' });
    const body = JSON.stringify({ payload: { function: 'add', args: [2, 3] }, priority: 'high' });
    const submitted = await fetch(`${manager.url}/task/submit`, { method: 'POST', headers, body });
    const { task_id, ...answer } = (await submitted.json()) as { task_id: string };
    expect(answer).toMatchObject({ status: 'queued', pool: 'default' });
    const look = async () => (await fetch(`${manager.url}/task/${task_id}`, { headers })).json();
    await expect.poll(look, { timeout: 20_000 }).toMatchObject({ result: 5 });
  },
);

test('the task of a killed worker is run by another, once, long before its lock expires', {
  timeout: 90_000,
}, async () => {
  const { nodes, manager, store } = await startWorkers('process');
  const post = async (url: string, task: object) =>
    (await (await fetch(`${url}/task/submit`, { method: 'POST', body: JSON.stringify(task) })).json()) as {
      task_id: string;
    };
  const { task_id } = await post(nodes[0] ?? '', { payload: { function: 'nap', args: [6] } });
  const { url, headers } = manager;
  const look = async () => (await (await fetch(`${url}/task/${task_id}`, { headers })).json()) as TaskView;
  await expect.poll(async () => (await look()).status, { timeout: 20_000 }).toBe('running');
  const { worker_id: killed } = await look();
  const reader = new Redis(inject('redisUrl'));
  onTestFinished(() => reader.disconnect());
  const told = await reader.xrange(store.keys.output(killed ?? ''), '-', '+');
  const { pid } = told
    .map(([, [, data = '{}'] = []]) => JSON.parse(data))
    .find(({ type }) => type === 'ready');
  process.kill(pid, 'SIGKILL');
  await expect.poll(async () => (await look()).attempts, { timeout: 12_000 }).toBe(2);
  await expect.poll(look, { timeout: 30_000 }).toMatchObject({ status: 'completed', attempts: 2 });
  const { worker_id, result } = await look();
  expect(worker_id).not.toBe(killed);
  expect(result).toBe(worker_id);
});

test('a node that is started manually from the image registers itself, and no manager touches it', {
  timeout: BUILD_MS + 60_000,
}, async () => {
  const { nodes: managed, store } = await startWorkers('docker');
  const engine = dockerAt(inject('dockerHost'));
  const cell = store.keys.nodes.replace(/:nodes$/, '');
  // Other tests have containers of other images on this daemon.
  const filters = { label: [`worker-manager.cell=${cell}`] };
  const [first] = await engine.listContainers({ filters });
  const container = await engine.createContainer({
    Image: first?.Image ?? '',
    Env: [
      `REDIS_URL=${inject('bodyRedisUrl')}`,
      'WORKER_ID=worker-1',
      'WORKER_POOL=default',
      `WORKER_CELL=${cell}`,
    ],
  });
  onTestFinished(() => container.remove({ force: true }));
  await container.start();
  const external = async () => (await store.summaries()).filter((one) => one.external);
  await expect
    .poll(external, { timeout: 60_000 })
    .toMatchObject([{ worker_id: 'worker-1', runtime: 'external', status: 'RUNNING', phase: 'ready' }]);
  const [node] = await external();
  expect(node?.node_url).toMatch(/^http:\/\/172\.\d+\.\d+\.\d+:5000$/);
  expect(await (await fetch(`${node?.node_url}/health`)).json()).toMatchObject({ status: 'healthy' });
  expect(managed).toHaveLength(NODES);
  // Its engine runs its health check as well.
  const probe = await container.exec({ Cmd: ['/worker/health'], AttachStdout: true });
  (await probe.start({})).resume();
  await expect.poll(async () => (await probe.inspect()).ExitCode, { timeout: 20_000 }).toBe(0);
  await container.stop({ t: 30 });
  expect((await container.inspect()).State.ExitCode).toBe(0);
  expect(await external()).toEqual([]);
});
