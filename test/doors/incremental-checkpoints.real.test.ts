/** Checkpoints of real workers that store only what has changed, and what happens if a disk damages them. */
import { existsSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { connect, type ManagerConnection, type WorkerHandle } from '../../src/client/index.ts';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';

const LONG = { timeout: 120_000 };
const PATIENCE = { timeout: 60_000, interval: 100 };
const redisUrl = inject('redisUrl');
const cell = newCell();
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
const directory = join(home, '.checkpoints', cell);
let manager: Manager;
let client: ManagerConnection;

async function start(): Promise<void> {
  const env = {
    RUNTIME: 'auto',
    DOCKER_HOST: `unix://${inject('dockerHost')}`,
    WORKER_IMAGE: inject('image'),
    WORKER_REDIS_URL: inject('bodyRedisUrl'),
  };
  manager = await startManager({ redisUrl, cell, home, env });
  client = connect({ url: manager.url, token: manager.token });
}
beforeAll(start, 120_000);
afterAll(async () => {
  await manager.stop();
  const docker = createDockerRuntime({ cell, host: inject('dockerHost'), image: inject('image') } as never);
  await docker.dismantle();
  await docker.close();
  await cleanCell({ redisUrl, cell, home });
});

const create = (runtime: string, more: object = {}): Promise<WorkerHandle> =>
  client.workers.create(
    { agent_type: 'CUSTOM', command_line: ['sleep', '600'], runtime: runtime as 'docker', ...more },
    { wait: 'ready' },
  );
const run = async (worker: WorkerHandle, command: string) => {
  const { exit_code, stdout, stderr } = await worker.commands.run(command);
  expect([exit_code, stderr]).toEqual([0, '']);
  return stdout;
};
const SUMS = 'find . -type f -exec cksum {} + | LC_ALL=C sort';
const FILES = `mkdir d; for n in $(seq 300); do head -c 10000 /dev/urandom > d/$n; done; ${SUMS}`;
/** Bytes of all packs, each once. */
function storedBytes(): number {
  const packs = existsSync(join(directory, 'objects')) ? readdirSync(join(directory, 'objects')) : [];
  return packs.reduce((sum, name) => sum + statSync(join(directory, 'objects', name)).size, 0);
}
/** The bytes that a checkpoint has added. */
async function take(worker: WorkerHandle): Promise<{ id: string; added: number; bytes: number }> {
  const before = storedBytes();
  const { checkpoint_id: id, bytes } = await worker.checkpoint();
  return { id, bytes, added: storedBytes() - before };
}

describe.each(['process', 'docker'])('a worker on %s', (runtime) => {
  test('stores only what has changed, whatever happens to the manager and the body', LONG, async () => {
    const worker = await create(runtime);
    await run(worker, FILES);
    const first = await take(worker);
    expect(first.bytes).toBeGreaterThan(3_000_000);
    // The body remembers what it has sent; content of the same size with the old time is found.
    const change = (name: string) =>
      run(
        worker,
        `head -c 10000 /dev/urandom > n; touch -r d/${name} n; cat n > d/${name}; touch -r n d/${name}; rm n; ${SUMS}`,
      );
    const sums = await change('7');
    const second = await take(worker);
    expect(second.added).toBeLessThan(first.bytes / 3);
    const fork = await create(runtime, { from_checkpoint: second.id });
    expect(await run(fork, SUMS)).toBe(sums);
    // The fork has the files of its origin.
    await run(fork, 'echo fork > d/8');
    expect((await take(fork)).added).toBeLessThan(first.bytes / 3);
    manager.kill('SIGKILL');
    await manager.exited;
    await start();
    const again = await client.workers.get(worker.id);
    expect((await take(again)).added).toBeLessThan(1000);
    await again.restart({ wait: 'ready' });
    const last = await take(again);
    expect(last.added).toBeLessThan(1000);
    // Each can be deleted without the others.
    for (const id of [first.id, second.id]) await client.checkpoints.delete(id);
    const other = await create(runtime, { from_checkpoint: last.id });
    expect(await run(other, SUMS)).toBe(sums);
    // The handle of the fork has the address of the first manager.
    const current = await client.workers.get(fork.id);
    await Promise.all([again, current, other].map((one) => one.delete()));
  });
});

test('a damaged checkpoint is reported, and the next one is whole', LONG, async () => {
  const worker = await create('process');
  const sums = await run(worker, FILES);
  const { id } = await take(worker);
  const pack = readdirSync(join(directory, id)).find((name) => name.startsWith('pack-')) ?? '';
  writeSync(openSync(join(directory, id, pack), 'r+'), 'damaged', 1_000_000);
  const fork = await client.workers.create({
    agent_type: 'CUSTOM',
    command_line: ['sleep', '600'],
    runtime: 'process',
    from_checkpoint: id,
  });
  await expect.poll(async () => (await fork.refresh()).status, PATIENCE).toBe('FAILED');
  expect(fork.info).toMatchObject({
    reason: 'WorkspaceSourceFailed',
    message: expect.stringMatching(/is damaged/),
  });
  const next = await take(worker);
  expect(next.added).toBeGreaterThan(2_900_000);
  const good = await create('process', { from_checkpoint: next.id });
  expect(await run(good, SUMS)).toBe(sums);
  await Promise.all([worker, fork, good].map((one) => one.delete()));
});
