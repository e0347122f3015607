import { expect, test } from 'vitest';
import { connect, ManagerError } from '../../src/client/index.ts';
import { sendJson, startScriptedServer } from './server.ts';

const ID = '00000000-0000-4000-8000-000000000001';
const VIEW = { worker_id: ID, name: null, status: 'STARTING', agent_type: 'CUSTOM' };
const CAT = { agent_type: 'CUSTOM' as const, command_line: ['cat'] };
const error = (code: string, message = 'no') => ({ error: { code, message } });

test('a request is repeated with its key after a broken connection and a 503', async () => {
  const server = await startScriptedServer((response, at) => {
    if (at === 0) response.destroy();
    else if (at === 1) sendJson(response, 503, error('unavailable'), { 'retry-after': '0' });
    else if (at === 2) {
      // The connection breaks in the middle of the body.
      response.writeHead(201, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"worker_id":', () => response.destroy());
    } else sendJson(response, 201, VIEW);
  });
  const worker = await connect({ url: server.url, token: 'secret' }).workers.create(CAT);
  expect(worker.id).toBe(ID);
  expect(server.requests).toHaveLength(4);
  expect(new Set(server.requests.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  expect(server.requests[0]).toMatchObject({
    method: 'POST',
    url: '/v1/workers',
    headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
    body: JSON.stringify(CAT),
  });
});

test('a lack of capacity is retried after the time that the manager asks for', async () => {
  const server = await startScriptedServer((response, at) =>
    at === 0
      ? sendJson(response, 429, error('capacity'), { 'retry-after': '1' })
      : sendJson(response, 200, VIEW),
  );
  const began = performance.now();
  await connect({ url: server.url }).workers.get(ID);
  expect(performance.now() - began).toBeGreaterThanOrEqual(990);
  expect(server.requests).toHaveLength(2);
});

test('a refusal is not repeated, and has its code, issues and request ID', async () => {
  const server = await startScriptedServer((response) =>
    sendJson(
      response,
      400,
      { error: { code: 'invalid_command', message: 'no', issues: [{ path: 'name', message: 'is long' }] } },
      { 'x-request-id': 'r1' },
    ),
  );
  const refused = connect({ url: server.url }).workers.create(CAT);
  await expect(refused).rejects.toBeInstanceOf(ManagerError);
  await expect(refused).rejects.toMatchObject({
    code: 'invalid_command',
    status: 400,
    message: 'no',
    issues: [{ path: 'name', message: 'is long' }],
    traceId: 'r1',
  });
  expect(server.requests).toHaveLength(1);
});

test('retries end, and the last failure is thrown', async () => {
  const server = await startScriptedServer((response) =>
    sendJson(response, 503, error('unavailable', 'away')),
  );
  const failed = connect({ url: server.url, retries: 2 }).stats();
  await expect(failed).rejects.toMatchObject({ code: 'unavailable', status: 503, message: 'away' });
  expect(server.requests).toHaveLength(3);
  const away = connect({ url: 'http://127.0.0.1:1', retries: 0 }).stats();
  await expect(away).rejects.toMatchObject({ code: 'unavailable', status: 0 });
  await expect(away).rejects.toThrow(/cannot be reached at http:\/\/127\.0\.0\.1:1/);
});

test('a response of a proxy is retried, or reported as one', async () => {
  const server = await startScriptedServer((response, at) => {
    response.writeHead(at === 0 ? 502 : 200, { 'content-type': 'text/html' });
    response.end(at === 0 ? '<html>' : JSON.stringify(VIEW));
  });
  expect((await connect({ url: server.url }).workers.get(ID)).id).toBe(ID);
  const page = await startScriptedServer((response) => response.end('<html>'));
  await expect(connect({ url: page.url }).stats()).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('is not JSON'),
  });
});

test('a request ends with its timeout or its signal', async () => {
  const server = await startScriptedServer(() => {});
  const client = connect({ url: server.url, timeoutMs: 500, retries: 1 });
  await expect(client.stats()).rejects.toMatchObject({ code: 'unavailable', message: /in time/ });
  expect(server.requests).toHaveLength(2);
  const reason = new Error('enough');
  const controller = new AbortController();
  const waiting = client.stats({ signal: controller.signal, timeoutMs: 10_000 });
  await expect.poll(() => server.requests.length).toBe(3);
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(client.stats({ signal: controller.signal })).rejects.toBe(reason);
  expect(server.requests).toHaveLength(3);
});

test('a long wait is sent as several requests', async () => {
  const server = await startScriptedServer((response, at) =>
    at === 0
      ? sendJson(response, 504, { ...error('unavailable', 'late'), worker_id: ID })
      : sendJson(response, 200, { ...VIEW, status: 'RUNNING' }),
  );
  const client = connect({ url: server.url });
  const early = (await client.workers.get(ID).catch((thrown) => thrown)) as ManagerError;
  expect(early).toMatchObject({ status: 504, workerId: ID });
  const worker = await client.workers.get(ID);
  expect((await worker.wait('ready', { timeoutSeconds: 40 })).status).toBe('RUNNING');
  expect(server.requests.at(-1)?.url).toBe(`/v1/workers/${ID}?wait=ready&timeout_seconds=25`);
});

test('names and filters are encoded', async () => {
  const server = await startScriptedServer((response) => sendJson(response, 200, { items: [] }));
  const client = connect({ url: `${server.url}/base/` });
  await client.workers.list({ label: { 'a/b': 'c d', e: 'f' }, status: 'RUNNING' }, { limit: 5 });
  expect(server.requests[0]?.url).toBe(
    '/base/v1/workers?status=RUNNING&label=a%2Fb%3Dc+d&label=e%3Df&limit=5',
  );
  await client.workers.delete('../pools/x');
  expect(server.requests[1]?.url).toBe('/base/v1/workers/..%2Fpools%2Fx');
});

test('a worker is found by its name in one request', async () => {
  const server = await startScriptedServer((response, _at, { url }) =>
    url === '/v1/workers/cat' ? sendJson(response, 200, VIEW) : sendJson(response, 404, error('not_found')),
  );
  const client = connect({ url: server.url });
  expect((await client.workers.get('cat')).id).toBe(VIEW.worker_id);
  expect(server.requests.map(({ url }) => url)).toEqual(['/v1/workers/cat']);
  await expect(client.workers.get('dog')).rejects.toMatchObject({ code: 'not_found', status: 404 });
});

test('many tasks are submitted in requests of limited size, in their order', async () => {
  const server = await startScriptedServer((response, at) => {
    const lines = (server.requests[at]?.body ?? '').split('\n').filter(Boolean);
    const results = lines.map((line, index) => {
      const { task_id, payload } = JSON.parse(line) as { task_id: string; payload: { args: [number] } };
      if (payload.args[0] === 2) return { line: index + 1, ...error('capacity') };
      return { line: index + 1, task_id, status: 'queued', position: 1, pool: 'p' };
    });
    response.end(results.map((one) => `${JSON.stringify(one)}\n`).join(''));
  });
  const tasks = [1, 2, 3, 4, 5].map((n) => ({
    task_id: `t${n}`,
    payload: { function: 'f', args: [n, 'ä'.repeat(200_000)] },
  }));
  const results = await connect({ url: server.url }).tasks.submitMany(tasks);
  expect(results.map((one) => (one instanceof ManagerError ? one.code : one.id))).toEqual([
    't1',
    'capacity',
    't3',
    't4',
    't5',
  ]);
  expect(server.requests.map(({ body }) => body.split('\n').length - 1)).toEqual([2, 2, 1]);
  expect(server.requests[0]?.headers['content-type']).toBe('application/x-ndjson');
  expect(await connect({ url: server.url }).tasks.submitMany([])).toEqual([]);
});
