/**
 * Very many connections through the doors of a worker: bounded, refused with a code, and given back.
 *
 * DOOR_CONNECTIONS is how many there are; `npm run soak` has 10,000.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { request as ask, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { openWorld, type RuntimeUnderTest } from '../faults/world.ts';
import { freePort } from '../support/free-port.ts';
import type { Manager } from '../support/manager.ts';

const CONNECTIONS = Number(process.env.DOOR_CONNECTIONS ?? 600);
const AT_ONCE = 100;
/** Descriptors that come and go: Redis, pipes of the process runtime, idle connections to the body and the engine. */
const TOLERANCE = 32;
const LONG = { timeout: 600_000 };
const PATIENCE = { timeout: 60_000, interval: 100 };
const serverOn = (port: number) => `const { createServer } = require('node:http');
createServer((_, response) => response.end('served')).listen(${port}, '127.0.0.1');`;

const countDescriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

async function open(name: RuntimeUnderTest) {
  const world = await openWorld(name);
  const manager = await world.start();
  const worker = randomUUID();
  const port = await freePort();
  await world.create(worker, { command_line: ['node', '-e', serverOn(port)], stop_grace_seconds: 1 });
  await world.reach(worker, { status: 'RUNNING', phase: 'ready' });
  return { ...world, manager, worker, port, path: (rest: string) => `/v1/workers/${worker}/${rest}` };
}

/** Sends a request on a connection of its own; resolves when the headers of the answer are there. */
function send(
  { url, headers }: Manager,
  method: string,
  path: string,
  { body, ...more }: { body?: object; headers?: object; signal?: AbortSignal } = {},
): Promise<IncomingMessage> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = ask(
      {
        hostname,
        port,
        method,
        path,
        agent: false,
        headers: { ...headers, 'content-type': 'application/json', ...more.headers },
        ...(more.signal && { signal: more.signal }),
      },
      resolve,
    );
    request.on('error', reject);
    request.end(body && JSON.stringify(body));
  });
}

/** The status of an answer, which is read to its end; a refusal must have a code. */
async function statusOf(answer: Promise<IncomingMessage>): Promise<number | string> {
  try {
    const response = await answer;
    const content = await text(response);
    const status = response.statusCode ?? 0;
    if (status >= 400) expect(JSON.parse(content).error.code, content).toBe('capacity');
    return status;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error';
  }
}

function openSocket({ url, headers }: Manager, path: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, { headers });
    socket.on('open', () => {
      socket.terminate();
      resolve(101);
    });
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on('error', () => resolve(0));
  });
}

describe.each(['process', 'docker'] as const)('the doors of a worker on %s', (name) => {
  test(`after ${CONNECTIONS} connections, nothing of them is left`, LONG, async () => {
    const { manager, worker, port, path, runtime } = await open(name);
    const [body] = await runtime.find(worker, undefined);
    const stream = { accept: 'text/event-stream' };
    const cut = async (method: string, to: string, more: object) => {
      const response = await send(manager, method, to, more);
      response.destroy();
      return response.statusCode ?? 0;
    };
    const own = new URL(manager.url);
    const kinds: (() => Promise<number | string>)[] = [
      () => statusOf(send(manager, 'GET', path(`ports/${port}/`))),
      () => statusOf(send(manager, 'GET', path('files/?list'))),
      () => statusOf(send(manager, 'POST', path('exec'), { body: { command: ['true'] } })),
      () => cut('POST', path('exec'), { body: { command: ['sleep', '600'] }, headers: stream }),
      () => openSocket(manager, path(`ports/${port}:tcp`)),
      () => openSocket(manager, path('pty?command=cat')),
      () => cut('GET', path('watch/'), { headers: stream }),
      async () => {
        const socket = connect(Number(own.port), own.hostname);
        socket.on('error', () => {});
        await once(socket, 'connect');
        socket.write(`PUT ${path('files/x')} HTTP/1.1\r\nhost: localhost\r\nauth`);
        socket.destroy();
        return 0;
      },
    ];
    // Half of them are for a port, which costs the least.
    const kindOf = (at: number) =>
      kinds[at % 16 < kinds.length ? at % 16 : 0] as () => Promise<number | string>;
    // What is opened once: the helpers of files and terminals, and connections that are kept.
    for (const kind of kinds) await kind();
    const before = countDescriptors(manager.pid);
    const statuses = new Map<number | string, number>();
    let next = 0;
    const run = async () => {
      while (next < CONNECTIONS) {
        const status = await kindOf(next++)().catch(() => 'error');
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, run));
    console.log(name, Object.fromEntries(statuses));
    for (const status of statuses.keys()) expect([0, 101, 200, 429, 503]).toContain(status);
    expect(statuses.get(200)).toBeGreaterThan(CONNECTIONS / 4);
    await vi.waitFor(
      () => expect(countDescriptors(manager.pid)).toBeLessThanOrEqual(before + TOLERANCE),
      PATIENCE,
    );
    // Terminals stay for a while; commands end with their clients.
    await vi.waitFor(async () => {
      const response = await send(manager, 'GET', path('processes'));
      expect(JSON.parse(await text(response)).items).toEqual([]);
    }, PATIENCE);
    expect((await runtime.find(worker, undefined)).map(({ id, state }) => [id, state])).toEqual([
      [body?.id, body?.state],
    ]);
    expect(await statusOf(send(manager, 'GET', path(`ports/${port}/`)))).toBe(200);
    expect(manager.log()).not.toMatch(/"level":"error"|EMFILE/);
  });

  test(`of ${CONNECTIONS} commands at once, a bounded number runs`, LONG, async () => {
    const { manager, worker, path, runtime, create, reach } = await open(name);
    const [body] = await runtime.find(worker, undefined);
    const other = randomUUID();
    await create(other);
    await reach(other, { status: 'RUNNING', phase: 'ready' });
    await statusOf(send(manager, 'POST', path('exec'), { body: { command: ['true'] } }));
    const before = countDescriptors(manager.pid);
    const stop = new AbortController();
    const held: IncomingMessage[] = [];
    const refused = new Map<number | string, number>();
    let next = 0;
    const run = async () => {
      while (next < CONNECTIONS) {
        next += 1;
        const answer = send(manager, 'POST', path('exec'), {
          body: { command: ['sleep', '600'] },
          headers: { accept: 'text/event-stream' },
          signal: stop.signal,
        });
        const response = await answer.catch(() => undefined);
        if (response?.statusCode === 200) {
          response.on('error', () => {});
          held.push(response.resume());
          continue;
        }
        const status = response ? await statusOf(Promise.resolve(response)) : 'error';
        refused.set(status, (refused.get(status) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, run));
    console.log(name, held.length, Object.fromEntries(refused));
    expect(held.length).toBeGreaterThan(50);
    expect(held.length).toBeLessThanOrEqual(128);
    for (const status of refused.keys()) expect([429, 503]).toContain(status);
    // Probes and other workers are served meanwhile.
    expect((await fetch(`${manager.url}/livez`)).status).toBe(200);
    const beside = send(manager, 'POST', `/v1/workers/${other}/exec`, { body: { command: ['true'] } });
    expect(await statusOf(beside)).toBe(200);
    stop.abort();
    await vi.waitFor(async () => {
      const answer = await send(manager, 'GET', path('processes'));
      expect(JSON.parse(await text(answer)).items).toEqual([]);
      expect(countDescriptors(manager.pid)).toBeLessThanOrEqual(before + TOLERANCE);
    }, PATIENCE);
    expect((await runtime.find(worker, undefined)).map(({ id }) => id)).toEqual([body?.id]);
    const left = await send(manager, 'POST', path('exec'), {
      body: { shell: 'cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -c "slee[p] 600" || true' },
    });
    if (name === 'docker') expect(JSON.parse(await text(left)).stdout.trim()).toBe('0');
  });
});
