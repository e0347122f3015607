/** Many, large, slow and broken requests at a real manager: each gets a clear error, and nothing is leaked. */
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, inject, onTestFinished, test } from 'vitest';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { readEvents } from './events.ts';

const CONNECTIONS = 10_000;
const AT_ONCE = 100;
/** Descriptors that come and go: Redis, pipes of the process runtime. */
const TOLERANCE = 8;

async function start(): Promise<Manager> {
  const cell = { redisUrl: inject('redisUrl'), cell: newCell() };
  const manager = await startManager(cell);
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ ...cell, home: manager.home });
  });
  return manager;
}

const countDescriptors = ({ pid }: Manager) => readdirSync(`/proc/${pid}/fd`).length;

function dial({ url }: Manager): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  return socket;
}

const head = ({ url, headers }: Manager, path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nhost: ${new URL(url).host}\r\nauthorization: ${headers.authorization}\r\n${more}\r\n`;

/** Sends a request on a connection of its own; resolves with the first bytes of the response, or nothing. */
function exchange(manager: Manager, text: string, leaves = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = dial(manager);
    let first = '';
    socket.on('data', (chunk) => {
      first ||= chunk.toString('latin1');
      if (leaves) socket.destroy();
    });
    socket.on('close', () => resolve(first));
    socket.write(text);
    if (leaves && !text.endsWith('\r\n\r\n')) socket.on('connect', () => socket.destroy());
  });
}

test('a soak of 10,000 connections ends with as many descriptors as it began', {
  timeout: 120_000,
}, async () => {
  const manager = await start();
  // Opens the connections that are opened once.
  for await (const _ of readEvents(`${manager.url}/v1/events?follow=false`, manager.headers)) break;
  await exchange(manager, head(manager, '/v1/events'), true);
  const before = countDescriptors(manager);
  const close = 'connection: close\r\n';
  const statuses = new Map<string, number>();
  const kinds: (() => Promise<string>)[] = [
    () => exchange(manager, head(manager, '/v1/events'), true),
    () => exchange(manager, head(manager, '/v1/workers?limit=1', close)),
    () => exchange(manager, 'POST /v1/workers HTTP/1.1\r\nhost: localhost\r\ncontent-len', true),
  ];
  let next = 0;
  const run = async () => {
    while (next < CONNECTIONS) {
      const at = next++;
      const kind = kinds[at % 20];
      const first = await (kind ? kind() : exchange(manager, head(manager, '/livez', close)));
      const status = /^HTTP\/1\.1 (\d+)/.exec(first)?.[1] ?? 'none';
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  expect(statuses.get('200')).toBeGreaterThan(CONNECTIONS * 0.9);
  for (const status of statuses.keys()) expect(['200', '429', '503', 'none']).toContain(status);
  await expect
    .poll(() => countDescriptors(manager), { timeout: 30_000, interval: 200 })
    .toBeLessThanOrEqual(before + TOLERANCE);
  expect(manager.log()).not.toMatch(/"level":"error"/);
});

test('hostile requests get clear errors, and the manager keeps working', { timeout: 60_000 }, async () => {
  const manager = await start();
  const post = (body: string, path = '/v1/workers') =>
    fetch(manager.url + path, { method: 'POST', headers: manager.headers, body });
  const issues = async (response: Response) => {
    const { error } = (await response.json()) as { error: { code: string; issues?: { path: string }[] } };
    return [response.status, error.code, error.issues?.map(({ path }) => path)];
  };
  const unknown = { agent_type: 'CUSTOM', command_line: ['true'], colour: 'red', resources: { disk: '1g' } };
  expect(await issues(await post(JSON.stringify(unknown)))).toEqual([
    400,
    'invalid_command',
    ['resources.disk', 'colour'],
  ]);
  expect(await issues(await post('{"agent_type": "CUSTOM", "__proto__": {}}'))).toEqual([
    400,
    'invalid_command',
    expect.arrayContaining(['__proto__']),
  ]);
  expect((await post(`[${'[],'.repeat(60_000)}[]]`)).status).toBe(400);

  // The length says how large it is; a body without a length is refused while it comes.
  const large = head(manager, '/v1/workers').replace('GET', 'POST').slice(0, -2);
  expect(await exchange(manager, `${large}content-length: 104857600\r\n\r\n`, true)).toMatch(
    /^HTTP\/1\.1 413/,
  );
  const socket = dial(manager);
  socket.write(`${large}transfer-encoding: chunked\r\n\r\n`);
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
  const refused = await new Promise<string>((resolve) => {
    socket.once('data', (data) => resolve(data.toString('latin1')));
    const more = () => void (socket.writable && socket.write(chunk, () => setImmediate(more)));
    more();
  });
  socket.destroy();
  expect(refused).toMatch(/^HTTP\/1\.1 413/);

  for (const path of ['/v1/workers?cursor=abc', '/v1/workers?limit=-1', '/v1/workers/..%2f..%2fetc'])
    expect([path, (await fetch(manager.url + path, { headers: manager.headers })).status]).toEqual([
      path,
      400,
    ]);
  const none = '/v1/workers/00000000-0000-4000-8000-000000000000/output';
  expect((await fetch(manager.url + none, { headers: manager.headers })).status).toBe(404);
  const events = { ...manager.headers, 'last-event-id': '1-0\u00e9' };
  expect((await fetch(`${manager.url}/v1/events`, { headers: events })).status).toBe(400);
  expect((await fetch(`${manager.url}/livez`)).status).toBe(200);
});
