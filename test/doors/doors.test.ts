/** The whole way into a body, from the API to a route of the door, with a runtime in memory. */
import { randomUUID } from 'node:crypto';
import { request as ask, type IncomingMessage } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import { buffer, json, text } from 'node:stream/consumers';
import { afterEach, expect, test, vi } from 'vitest';
import { Doors } from '../../src/doors/doors.ts';
import { createDoorSigner } from '../../src/doors/signer.ts';
import { type DoorSubject, signDoorToken } from '../../src/model/doors/door-token.ts';
import { Runtimes } from '../../src/runtimes/registry.ts';
import type { DoorRoute } from '../../worker-base/door/route.ts';
import { createDoorServer } from '../../worker-base/door/server.ts';
import { TokenVerifier } from '../../worker-base/door/tokens.ts';
import { workerSpec } from '../conformance/subject.ts';
import { FakeEngine, FakeRuntime } from '../support/fake-runtime/fake.ts';
import { PATIENCE } from '../support/patience.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const ROUTES: DoorRoute[] = [
  {
    method: 'POST',
    path: '/echo/:name',
    handle: ({ request, response, params }) => {
      response.writeHead(200, { 'x-name': params.name });
      request.pipe(response);
    },
  },
  {
    method: 'GET',
    path: '/cut',
    handle: async ({ response }) => {
      await new Promise((resolve) =>
        response.writeHead(200, { 'content-length': '10' }).write('half', resolve),
      );
      throw new Error('a defect');
    },
  },
  { method: 'GET', path: '/hang', handle: () => {} },
  {
    method: 'GET',
    path: '/raw/*',
    upgrade: ({ socket, head, rest }) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n');
      socket.write(`${rest}:`);
      socket.write(head);
      socket.pipe(socket);
    },
  },
];

async function open({ claimed = true, limits = {}, redisFails = '' } = {}) {
  const published = new Map<string, string>();
  const worker_id = randomUUID();
  let lookups = 0;
  const subject: DoorSubject = { cell: 'default', worker_id, incarnation: 1 };
  const verifier = new TokenVerifier(async (id) => {
    lookups += 1;
    return published.get(id) ?? null;
  });
  const body = { settings: {}, spec: workerSpec(), log: {}, signal: new AbortController().signal };
  const server = createDoorServer({
    refusal: (token) => verifier.refusal(token, subject),
    about: () => ({ worker_id, incarnation: 1 }),
    body: () => (claimed ? (body as never) : undefined),
    log: { error: () => {} },
    routes: ROUTES,
  });
  const engine = new FakeEngine({ program: () => ({ on_connect: (stream) => server.accept(stream) }) });
  const runtime = new FakeRuntime({ engine });
  const runtimes = new Runtimes([runtime], Date.now, () => {});
  const order = { worker_id, incarnation: 1, spec: workerSpec(), spec_hash: '', epoch: 1, env: {} };
  const made = await runtime.create(order);
  await runtime.start(made.id);
  const status = {
    status: 'RUNNING' as string,
    phase: 'ready',
    reason: '',
    incarnation: 1,
    runtime: runtime.name,
    body_id: made.id,
    observed_generation: 1,
  };
  const store = {
    load: async (id: string) => {
      if (redisFails) throw new Error(redisFails);
      return id === worker_id ? { record: { desired: { generation: 1 }, status } } : undefined;
    },
  };
  const signer = createDoorSigner(async ({ id, publicKey }) => void published.set(id, publicKey), Date.now);
  const doors = new Doors({
    cell: 'default',
    runtimes,
    signer,
    store: store as never,
    waitFor: async () =>
      ({ outcome: 'late', observation: { deleted: false, current: true, status } }) as never,
    limits,
  });
  closing.push(() => doors.close());
  return {
    doors,
    worker_id,
    engine,
    runtime,
    body_id: made.id,
    published,
    status,
    subject,
    lookups: () => lookups,
    connect: () => runtime.connect(made.id),
  };
}

const about = (response: IncomingMessage) => json(response);
const door = { kind: 'door', method: 'GET', path: '/door' } as const;

/** A request on a connection of its own, with a token of the test. */
async function askWith(stream: Duplex, token: string | undefined, path = '/door'): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const request = ask({ createConnection: () => stream, path, headers });
  request.end();
  const status = await new Promise<number>((resolve, reject) => {
    request.once('response', ({ statusCode = 0 }) => resolve(statusCode));
    request.once('error', reject);
  });
  request.destroy();
  stream.destroy();
  return status;
}

test('a request reaches the body of its worker, on a connection that is used again', async () => {
  const { doors, worker_id, engine } = await open();
  const connect = vi.spyOn(engine, 'connect');
  for (let time = 0; time < 3; time += 1) {
    const response = await doors.request(worker_id, door);
    expect(await about(response)).toEqual({ format: 1, claimed: true, worker_id, incarnation: 1 });
    await vi.waitFor(() => expect(doors.open.get('door')).toBe(0), PATIENCE);
  }
  expect(connect).toHaveBeenCalledTimes(1);
});

test('a stream of any size passes both ways', async () => {
  const { doors, worker_id } = await open();
  const part = Buffer.alloc(1024 ** 2, 'a');
  const body = Readable.from(Array.from({ length: 32 }, () => part));
  const response = await doors.request(worker_id, {
    kind: 'exec',
    method: 'POST',
    path: '/echo/a%2Fb',
    body,
  });
  expect(response.headers['x-name']).toBe('a/b');
  expect((await buffer(response)).length).toBe(32 * part.length);
  const small = await doors.request(worker_id, { kind: 'exec', method: 'POST', path: '/echo/x', body: 'ä' });
  expect(await text(small)).toBe('ä');
});

test('an upgrade gives the connection, with what came after the request', async () => {
  const { doors, worker_id } = await open();
  const headers = { connection: 'Upgrade', upgrade: 'echo' };
  const { response, socket, head } = await doors.upgrade(worker_id, {
    kind: 'pty',
    method: 'GET',
    path: '/raw/some%ff/where',
    headers,
  });
  expect(response.statusCode).toBe(101);
  expect(doors.open.get('pty')).toBe(1);
  socket?.unshift(head ?? Buffer.alloc(0));
  socket?.end('hello');
  expect(await text(socket as Duplex)).toBe('some%ff/where:hello');
  await vi.waitFor(() => expect(doors.open.get('pty')).toBe(0), PATIENCE);
});

test('missing tokens, and those of another body, of yesterday and of an unknown manager are refused', async () => {
  const { connect, subject, published, lookups } = await open();
  const key = (await import('node:crypto')).generateKeyPairSync('ed25519');
  const { getDoorKeyId } = await import('../../src/model/doors/door-token.ts');
  const der = key.publicKey.export({ format: 'der', type: 'spki' });
  const mine = { id: getDoorKeyId(der), privateKey: key.privateKey };
  const now = Date.now();
  expect(await askWith(await connect(), undefined)).toBe(401);
  expect(await askWith(await connect(), 'x'.repeat(2000))).toBe(401);
  expect(await askWith(await connect(), signDoorToken(mine, subject, now))).toBe(401);
  published.set(mine.id, der.toString('base64'));
  expect(await askWith(await connect(), signDoorToken(mine, subject, now))).toBe(200);
  expect(await askWith(await connect(), signDoorToken(mine, subject, now - 86_400_000))).toBe(401);
  expect(await askWith(await connect(), signDoorToken(mine, subject, now + 86_400_000))).toBe(401);
  for (const other of [{ incarnation: 2 }, { worker_id: randomUUID() }, { cell: 'other' }])
    expect(await askWith(await connect(), signDoorToken(mine, { ...subject, ...other }, now))).toBe(403);
  const forged = signDoorToken(mine, subject, now).replace(/[^.]+$/, Buffer.alloc(64).toString('base64url'));
  expect(await askWith(await connect(), forged)).toBe(401);
  // A key that was published under the name of another.
  published.set('A'.repeat(22), der.toString('base64'));
  expect(await askWith(await connect(), signDoorToken({ ...mine, id: 'A'.repeat(22) }, subject, now))).toBe(
    401,
  );
  const before = lookups();
  const flood = Array.from({ length: 200 }, async (_, at) =>
    askWith(await connect(), signDoorToken({ ...mine, id: String(at).padStart(22, 'b') }, subject, now)),
  );
  expect(new Set(await Promise.all(flood))).toEqual(new Set([401, 503]));
  expect(lookups() - before).toBeLessThanOrEqual(40);
});

test('a warm body reports what it is, and nothing else', async () => {
  const { doors, worker_id } = await open({ claimed: false });
  expect(await about(await doors.request(worker_id, door))).toMatchObject({ claimed: false });
  const response = await doors.request(worker_id, {
    kind: 'exec',
    method: 'POST',
    path: '/echo/x',
    body: 'a',
  });
  expect([response.statusCode, await json(response)]).toMatchObject([409, { error: { code: 'conflict' } }]);
});

test('a manager whose key the store has lost publishes it again', async () => {
  const { doors, worker_id, published } = await open();
  published.clear();
  expect((await doors.request(worker_id, door)).statusCode).toBe(200);
});

test('a body that ends in the middle is lost, and its requests end', async () => {
  const { doors, worker_id, engine, body_id } = await open();
  const hanging = doors.request(worker_id, { kind: 'exec', method: 'GET', path: '/hang' });
  await vi.waitFor(() => expect(doors.open.get('exec')).toBe(1), PATIENCE);
  await new Promise((resolve) => setImmediate(resolve));
  engine.exit(body_id, { exit_code: 137 });
  await expect(hanging).rejects.toMatchObject({ code: 'unavailable', reason: 'body_lost' });
  expect(doors.open.get('exec')).toBe(0);
});

test('a request whose body cannot be looked up has not been done in part', async () => {
  const { doors, worker_id } = await open({ redisFails: 'Command timed out' });
  const failed = await doors.request(worker_id, door).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'unavailable', message: 'Redis does not respond. Try again later.' });
  expect(failed).not.toHaveProperty('reason', 'body_lost');
});

test('an exception of a route cuts a response that was begun', async () => {
  const { doors, worker_id } = await open();
  const response = await doors.request(worker_id, { kind: 'exec', method: 'GET', path: '/cut' });
  await expect(text(response)).rejects.toThrow();
  expect((await doors.request(worker_id, door)).statusCode).toBe(200);
});

test('workers that do not exist, have ended or do not start are distinguished', async () => {
  const { doors, worker_id, status } = await open();
  await expect(doors.request(randomUUID(), door)).rejects.toMatchObject({ code: 'not_found' });
  status.status = 'STOPPED';
  await expect(doors.request(worker_id, door)).rejects.toMatchObject({ code: 'conflict' });
  status.status = 'STARTING';
  await expect(doors.request(worker_id, { ...door, waitSeconds: 0 })).rejects.toMatchObject({
    code: 'unavailable',
  });
});

test('open requests are bounded, and their number is given back', async () => {
  const { doors, worker_id } = await open({ limits: { perWorker: 3 } });
  const stop = new AbortController();
  const hang = () =>
    doors.request(worker_id, { kind: 'exec', method: 'GET', path: '/hang', signal: stop.signal });
  const open3 = [hang(), hang(), hang()];
  await expect(hang()).rejects.toMatchObject({ code: 'capacity' });
  stop.abort();
  for (const one of open3) await expect(one).rejects.toThrow();
  expect((await doors.request(worker_id, door)).statusCode).toBe(200);
});
