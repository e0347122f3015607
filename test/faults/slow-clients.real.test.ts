import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { openCell } from '../store/cell.ts';
import { cleanCell, startManager } from '../support/manager.ts';
import { PATIENCE } from './world.ts';

/** The default limit of many shells and services. */
const DESCRIPTORS = 1024;
const CLIENTS = 5000;

test('5000 slow clients of a manager with 1024 descriptors block neither its probes nor a create', async () => {
  const cell = openCell();
  const redisUrl = inject('redisUrl');
  const under = ['prlimit', `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`];
  const manager = await startManager({ redisUrl, cell: cell.name, under });
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await manager.stop();
    await cleanCell({ redisUrl, cell: cell.name, home: manager.home });
  });
  const { port, hostname } = new URL(manager.url);
  const slow = async () => {
    const socket = connect(Number(port), hostname).on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    socket.write('GET /v1/pools HTTP/1.1\r\nHo');
  };
  for (let batch = 0; batch < CLIENTS / 100; batch += 1) await Promise.all(Array.from({ length: 100 }, slow));

  expect((await fetch(`${manager.url}/livez`)).status).toBe(200);
  const worker_id = randomUUID();
  const command_line = ['sleep', '600'];
  const fields = { agent_type: 'CUSTOM', command_line, worker_id, stop_grace_seconds: 1 };
  await cell.push({ command: 'create', request_id: randomUUID(), ...fields });
  await vi.waitFor(
    async () => expect((await cell.store.load(worker_id))?.record.status?.status).toBe('RUNNING'),
    PATIENCE,
  );
  expect((await fetch(`${manager.url}/livez`)).status).toBe(200);
  expect(manager.log()).not.toContain('EMFILE');
});
