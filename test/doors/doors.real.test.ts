/** Doors of real wrappers: this process is a further manager of the cell, which connects to the bodies. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { json, text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Doors } from '../../src/doors/doors.ts';
import { createDoorSigner } from '../../src/doors/signer.ts';
import { createProcessRuntime } from '../../src/runtimes/process/process.ts';
import { Runtimes } from '../../src/runtimes/registry.ts';
import { connectCommands, publishDoorKey, Store, StreamHub } from '../../src/store/index.ts';
import { waitForGoal } from '../../src/store/streams/wait-for-goal.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const PATIENCE = { timeout: 30_000, interval: 20 };
const cell = newCell();
let redis: RedisServer;
let manager: Manager;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  redis = await startRedis();
  manager = await startManager({ redisUrl: redis.url, cell });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await manager.stop();
  await cleanCell({ redisUrl: redis.url, cell, home: manager.home });
  await redis.stop();
});

/** A manager of the cell that never leads, as far as it concerns doors. */
async function standby() {
  const link = connectCommands(redis.url);
  link.on('error', () => {});
  await link.connect();
  const store = new Store(link, cell);
  const hub = new StreamHub(link, redis.url);
  const runtime = createProcessRuntime({ cell, root: manager.home, wrapper: { argv: ['false'] } });
  const doors = new Doors({
    cell,
    store,
    runtimes: new Runtimes([runtime], Date.now, () => {}),
    signer: createDoorSigner((key, ms) => publishDoorKey(link, store.keys, key, ms), Date.now),
    waitFor: (id, goal, signal) => waitForGoal({ redis: link, keys: store.keys, hub }, id, goal, signal),
  });
  closing.push(async () => {
    doors.close();
    hub.close();
    await runtime.close();
    link.disconnect();
  });
  return { doors, link, runtime };
}

async function api(method: string, path: string, body?: object): Promise<Record<string, string>> {
  const response = await fetch(`${manager.url}/v1/workers${path}`, {
    method,
    headers: { ...manager.headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect(response.ok, await response.clone().text()).toBe(true);
  return (await response.json()) as Record<string, string>;
}
const create = async (more: object = {}): Promise<string> => {
  const spec = { agent_type: 'CUSTOM', command_line: ['sleep', '600'], runtime: 'process', ...more };
  return (await api('POST', '', spec)).worker_id ?? '';
};
const about = async (doors: Doors, id: string, waitSeconds = 30) =>
  json(await doors.request(id, { kind: 'door', method: 'GET', path: '/door', waitSeconds }));

const socketOf = (bodyPath: RegExp): string => {
  for (const root of ['/run/worker-manager-0', `/dev/shm/worker-manager-${process.getuid?.()}`])
    try {
      const found = readdirSync(root).find((name) => bodyPath.test(name));
      if (found) return `${root}/${found}/door`;
    } catch {
      // The other one.
    }
  throw new Error('the body has no socket');
};
async function open(path: string): Promise<Socket> {
  const socket = connect({ path });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

test('a worker that is starting is waited for, and each incarnation has a door of its own', async () => {
  const { doors } = await standby();
  const id = await create();
  expect(await about(doors, id)).toEqual({ format: 1, claimed: true, worker_id: id, incarnation: 1 });
  await api('POST', `/${id}/restart?wait=ready`);
  expect(await about(doors, id)).toMatchObject({ worker_id: id, incarnation: 2 });
  await api('POST', `/${id}/stop?wait=ended`);
  await expect(about(doors, id)).rejects.toMatchObject({ code: 'conflict' });
  await api('DELETE', `/${id}?wait=deleted`);
  await expect(about(doors, id)).rejects.toMatchObject({ code: 'not_found' });
});

test('garbage, slow and numerous connections do not keep a manager out, and are closed', async () => {
  const { doors } = await standby();
  const id = await create();
  await about(doors, id);
  const path = socketOf(new RegExp(id));
  const garbage = await open(path);
  garbage.write(randomBytes(1024));
  garbage.end();
  expect(await text(garbage)).toMatch(/^HTTP\/1\.1 400 /);
  const long = await open(path);
  long.write(`GET /door HTTP/1.1\r\nx: ${'a'.repeat(100_000)}`);
  await text(long).catch(() => {});
  const flood: Socket[] = [];
  for (let count = 0; count < 2000; count += 1) {
    const socket = connect({ path });
    socket.on('error', () => {});
    socket.write('GET /door HTTP/1.1\r\n');
    flood.push(socket);
  }
  const second = await standby();
  expect(await about(second.doors, id)).toMatchObject({ worker_id: id });
  await vi.waitFor(
    () => expect(flood.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(64),
    PATIENCE,
  );
  await vi.waitFor(() => expect(flood.filter(({ destroyed }) => !destroyed)).toEqual([]), PATIENCE);
  expect(await about(doors, id)).toMatchObject({ worker_id: id });
  await api('DELETE', `/${id}?wait=deleted`);
});

test('managers come and go, and so does Redis, while a door is used', async () => {
  const first = await standby();
  const id = await create();
  await about(first.doors, id);
  manager.kill('SIGKILL');
  await manager.exited;
  expect(await about(first.doors, id)).toMatchObject({ worker_id: id });
  const { home } = manager;
  await redis.kill();
  // Its key is known to the body, and its connection is open.
  expect(await about(first.doors, id)).toMatchObject({ worker_id: id });
  await redis.start();
  manager = await startManager({ redisUrl: redis.url, cell, home });
  const next = await standby();
  expect(await about(next.doors, id)).toMatchObject({ worker_id: id });
  // Nothing secret is stored: the published keys are public ones.
  for (const key of await next.link.keys('*door-key*'))
    expect(Buffer.from((await next.link.get(key)) ?? '', 'base64')).toHaveLength(44);
  const wrapper = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isWrapperOf(pid, id));
  expect(wrapper.length).toBeGreaterThan(0);
  await api('DELETE', `/${id}?wait=deleted`);
});

function isWrapperOf(pid: string, id: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`WORKER_ID=${id}`);
  } catch {
    return false;
  }
}
