/** Ports of real workers, over a real manager. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { request as ask, type IncomingMessage } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { connect, type WorkerHandle } from '../../src/client/index.ts';
import { wmOf } from '../cli/wm.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';

const LONG = 120_000;
const soon = { timeout: 30_000, interval: 20 };
const SERVER = readFileSync(join(import.meta.dirname, '../support/port-server.mjs'), 'utf8');
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

describe.each(['process', 'docker'])('ports of workers on %s', (runtime) => {
  const cell = newCell();
  const redisUrl = inject('redisUrl');
  const host = inject('dockerHost');
  let home: string;
  let env: Record<string, string>;
  let manager: Manager;
  let workers: WorkerHandle[];
  let worker: WorkerHandle;
  let http: number;
  let tcp: number;

  const create = async (more: object) => {
    const client = connect({ url: manager.url, token: manager.token });
    const spec = { agent_type: 'CUSTOM' as const, command_line: ['cat'], ...more };
    const created = await client.workers.create(spec, { wait: 'ready', timeoutSeconds: 90 });
    workers.push(created);
    return created;
  };
  /** Starts the program; returns its two ports. */
  const serve = async (of: WorkerHandle): Promise<[number, number]> => {
    const lines: string[] = [];
    const command = await of.commands.run(['node', '--input-type=module', '-e', SERVER, '--', '0', '0'], {
      background: true,
      onStdout: (part) => void lines.push(part),
    });
    void command.wait().catch(() => {});
    await vi.waitFor(() => expect(lines.join('')).toMatch(/http \d+[\s\S]*tcp \d+/), soon);
    const [, first, second] = /http (\d+)[\s\S]*tcp (\d+)/.exec(lines.join('')) ?? [];
    return [Number(first), Number(second)];
  };

  beforeAll(async () => {
    workers = [];
    home = await mkdtemp(join(tmpdir(), 'wm-home-'));
    env = {
      RUNTIME: runtime,
      WORKER_REDIS_URL: runtime === 'docker' ? inject('bodyRedisUrl') : redisUrl,
      DOCKER_HOST: host.startsWith('/') ? `unix://${host}` : host,
      WORKER_IMAGE: inject('image'),
    };
    manager = await startManager({ redisUrl, cell, home, env });
    worker = await create({ name: 'site' });
    [http, tcp] = await serve(worker);
  }, LONG);
  afterAll(async () => {
    for (const one of workers) await one.delete();
    await vi.waitFor(async () => {
      const response = await fetch(`${manager.url}/v1/workers`, { headers: manager.headers });
      expect(await response.json()).toMatchObject({ items: [] });
    }, soon);
    await manager.stop();
    await cleanCell({ redisUrl, cell, home });
  }, LONG);

  const at = (path: string, port: number | string = http, name = 'site') =>
    `${manager.url}/v1/workers/${name}/ports/${port}${path}`;
  const get = (path: string, init: RequestInit = {}, port: number | string = http, name = 'site') =>
    fetch(at(path, port, name), { ...init, headers: { ...manager.headers, ...init.headers } });
  /** A request to a host that stands for a port. */
  const visit = (path: string, headers: Record<string, string>, name = `${http}-${worker.id}.localhost`) =>
    new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
      const { port } = new URL(manager.url);
      const request = ask({
        host: '127.0.0.1',
        port,
        path,
        headers: { host: `${name}:${port}`, ...headers },
      });
      request.on('response', (response) => {
        text(response).then(
          (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          reject,
        );
      });
      request.on('error', reject);
      request.end();
    });

  test('a request of any method reaches the program, without what is meant for the manager', async () => {
    const content = randomBytes(3_000_000);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const response = await get('/a%2Fb/c?x=1&wait_seconds=no', {
        method,
        body: content,
        headers: { cookie: 'a=b', x: 'y' },
      });
      expect(response.status).toBe(202);
      const seen = (await response.json()) as { headers: Record<string, string> };
      expect(seen).toMatchObject({ method, url: '/a%2Fb/c?x=1&wait_seconds=no', sha256: sha256(content) });
      expect(seen.headers).toMatchObject({
        x: 'y',
        host: `localhost:${http}`,
        'x-forwarded-host': new URL(manager.url).host,
        'x-forwarded-prefix': `/v1/workers/${worker.id}/ports/${http}`,
        'x-forwarded-proto': 'http',
      });
      expect(Object.keys(seen.headers)).not.toEqual(expect.arrayContaining(['authorization']));
      expect(JSON.stringify(seen)).not.toContain(manager.token);
      expect(seen.headers.cookie).toBeUndefined();
    }
    const { body } = await get('/');
    expect(JSON.parse(await text(body as never))).toMatchObject({ method: 'GET', url: '/' });
  });

  test('what comes back has no rights of the origin of the manager', async () => {
    const { headers } = await get('/page');
    expect(headers.get('content-security-policy')).toMatch(
      /^default-src 'self', sandbox (?!.*allow-same-origin)/,
    );
    expect(headers.get('set-cookie')).toBeNull();
    expect(headers.get('clear-site-data')).toBeNull();
  });

  test('answers come as they are written, of any size, and a cut one is cut', async () => {
    const stop = new AbortController();
    const events = await get('/events', { signal: stop.signal });
    const reader = (events.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('data: one\n\n');
    stop.abort();
    const big = Buffer.from(await (await get('/big')).arrayBuffer());
    expect([big.length, big.at(0), big.at(-1)]).toEqual([64 * 1024 ** 2, 63, 0]);
    const cut = await get('/cut');
    await expect(cut.arrayBuffer()).rejects.toThrow();
  });

  test('a change of protocol is passed on, with its bytes to the last', async () => {
    const { hostname, port } = new URL(manager.url);
    const path = `/v1/workers/site/ports/${http}/socket`;
    const echo = async () => {
      const headers = { ...manager.headers, connection: 'Upgrade', upgrade: 'echo' };
      const request = ask({ host: hostname, port, path, headers });
      request.end();
      const [response, socket] = await new Promise<[IncomingMessage, Socket]>((resolve, reject) => {
        request.on('upgrade', (answer, stream) => resolve([answer, stream as Socket]));
        request.on('error', reject);
      });
      expect(response.headers).toMatchObject({ upgrade: 'echo' });
      expect(response.headers['set-cookie']).toBeUndefined();
      const sent = randomBytes(2_000_000);
      socket.end(sent);
      expect(sha256(await buffer(socket))).toBe(sha256(sent));
    };
    for (let round = 0; round < 5; round += 1) await Promise.all(Array.from({ length: 8 }, echo));
  });

  test('`wm port-forward` passes TCP, and the end of each direction alone', { timeout: LONG }, async () => {
    const { start } = wmOf({ redisUrl, cell, home });
    const running = start(['port-forward', 'site', `:${tcp}`], 'open', {
      WM_URL: manager.url,
      WM_TOKEN: manager.token,
    });
    await vi.waitFor(() => expect(running.out()).toMatch(/127\.0\.0\.1:\d+ -> /), soon);
    const local = Number(/127\.0\.0\.1:(\d+) -> /.exec(running.out())?.[1]);
    const sends = Array.from({ length: 8 }, async (_, index) => {
      const content = randomBytes(1_000_000 * (index + 1));
      const socket = connectTcp({ port: local, host: '127.0.0.1', allowHalfOpen: true });
      socket.end(content);
      expect(await text(socket)).toBe(`${content.length} ${sha256(content)}`);
      socket.destroy();
    });
    await Promise.all(sends);
    running.child.kill('SIGINT');
    expect(await running.done).toMatchObject({ code: 0, err: '' });
  });

  test('a port is closed if nothing of the worker listens there, or its spec does not allow it', {
    timeout: LONG,
  }, async () => {
    const closed = await get('/', {}, 1);
    expect([closed.status, await closed.json()]).toMatchObject([503, { error: { reason: 'port_closed' } }]);
    expect((await get('/', {}, 70_000)).status).toBe(400);
    expect((await get('/', {}, 'x')).status).toBe(400);
    const none = await create({ name: 'shut', ports: [] });
    const refused = await get('/', {}, 3000, 'shut');
    expect([refused.status, await refused.json()]).toMatchObject([
      422,
      { error: { code: 'unsupported', message: expect.stringContaining('allows none') } },
    ]);
    await none.delete();
    const one = await create({ name: 'ajar', ports: [3000] });
    expect((await get('/', {}, 3001, 'ajar')).status).toBe(422);
    expect((await get('/', {}, 3000, 'ajar')).status).toBe(503);
    await one.delete();
  });

  test('other programs cannot be reached: Redis, the manager, another worker, the door', {
    timeout: LONG,
  }, async () => {
    const others = [new URL(redisUrl).port, new URL(manager.url).port];
    for (const port of others) {
      const response = await get('/', {}, port);
      expect([port, response.status]).toEqual([port, 503]);
    }
    const neighbour = await create({ name: 'neighbour' });
    expect((await get('/', {}, http, 'neighbour')).status).toBe(503);
    await neighbour.delete();
    if (runtime === 'docker') {
      const { stdout } = await worker.commands.run('cat /proc/net/tcp | awk \'$4 == "0A" {print $2}\'');
      const open = stdout
        .split('\n')
        .flatMap((line) => (line ? [Number.parseInt(line.split(':')[1] ?? '', 16)] : []));
      const answering = open.filter((port) => port !== tcp);
      const statuses = await Promise.all(answering.map(async (port) => (await get('/', {}, port)).status));
      expect(statuses).toContain(422);
    }
  });

  test('pending connections are bounded, and free again after their end', { timeout: LONG }, async () => {
    const stop = new AbortController();
    const statuses: number[] = [];
    const pending = Array.from({ length: 600 }, () =>
      get('/hang', { signal: stop.signal }).then(
        ({ status }) => void statuses.push(status),
        () => {},
      ),
    );
    await vi.waitFor(() => expect(statuses.length).toBeGreaterThan(300), soon);
    expect(statuses.filter((status) => status !== 429 && status !== 503)).toEqual([]);
    stop.abort();
    await Promise.all(pending);
    await vi.waitFor(async () => expect((await get('/')).status).toBe(202), soon);
  });

  test('a browser gets a cookie for one port with a link that works once', async () => {
    const created = await get(':link', { method: 'POST' });
    expect(created.status).toBe(201);
    const { url } = (await created.json()) as { url: string };
    const { hostname, pathname, search } = new URL(url);
    expect(hostname).toBe(`${http}-${worker.id}.localhost`);
    expect((await visit('/', {})).status).toBe(401);
    const entered = await visit(`${pathname}${search}`, {});
    expect([entered.status, entered.headers.location]).toEqual([303, '/']);
    const [cookie = ''] = String(entered.headers['set-cookie']).split(';');
    expect((await visit(`${pathname}${search}`, {})).status).toBe(400);

    const seen = await visit('/v1/workers', { cookie: `${cookie}; own=2`, authorization: 'Basic abc' });
    expect(seen.status).toBe(202);
    const { url: path, headers } = JSON.parse(seen.body);
    expect([path, headers.cookie, headers.authorization]).toEqual(['/v1/workers', 'own=2', 'Basic abc']);
    expect(headers.host).toBe(`${http}-${worker.id}.localhost:${new URL(manager.url).port}`);
    expect(seen.headers['set-cookie']).toEqual(['own=1; Path=/']);
    expect(seen.headers['content-security-policy']).toBe("default-src 'self'");
    expect(seen.body).not.toContain(cookie.split('=')[1]);

    const other = `${tcp}-${worker.id}.localhost`;
    expect((await visit('/', { cookie }, other)).status).toBe(401);
    expect((await visit('/', { cookie: `${cookie.slice(0, -3)}AAA` })).status).toBe(401);
    expect((await visit('/v1/workers', { cookie }, 'localhost')).status).toBe(401);
    expect((await visit('/livez', {}, `${http}-${worker.id}.localhost`)).status).toBe(401);
    const bearer = await visit('/x', manager.headers);
    expect([bearer.status, bearer.body.includes(manager.token)]).toEqual([202, false]);
  });
});
