/** What the API does for every route: who may ask, limits, errors, documentation. */
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { Fault } from '../../src/model/index.ts';
import { openTestApi } from './api.ts';

const views = async () => [];
const nodes = async () => [];

test('an unknown path names the documentation, and an unsupported method what there is', async () => {
  const { ask } = await openTestApi({});
  const missing = await ask('GET', '/v1/nothing');
  expect(missing.statusCode).toBe(404);
  expect(missing.json().error.message).toContain('/docs');
  const method = await ask('PATCH', '/v1/pools');
  expect([method.statusCode, method.headers.allow]).toEqual([405, 'GET, HEAD, POST']);
  expect((await ask('GET', '/v1/%zz')).json().error.code).toMatch(/not_found|invalid_command/);
});

test('the host, the token and the origin are checked, in this order', async () => {
  const { ask } = await openTestApi({ pools: { views, nodes } }, { token: 'let-me-in' });
  const status = async (method: 'GET' | 'POST', url: string, headers: Record<string, string>) =>
    (await ask(method, url, undefined, headers)).statusCode;
  const authorization = 'Bearer let-me-in';
  expect(await status('GET', '/v1/pools', { host: 'rebound.example', authorization })).toBe(421);
  expect(await status('GET', '/v1/pools', {})).toBe(401);
  expect(await status('GET', '/v1/pools', { authorization: 'Bearer let-me-out' })).toBe(401);
  expect(await status('GET', '/v1/pools', { authorization })).toBe(200);
  expect(await status('POST', '/v1/pools', { authorization, origin: 'https://other.example' })).toBe(403);
  for (const open of ['/openapi.json', '/docs', '/docs/static/index.html'])
    expect([open, await status('GET', open, {})]).not.toEqual([open, 401]);
});

test('an upgrade without a restart is reported as such', async () => {
  const missing = Object.assign(new Error('Cannot find module'), { code: 'ERR_MODULE_NOT_FOUND' });
  const { ask } = await openTestApi({ pools: { views: () => Promise.reject(missing), nodes } });
  const { statusCode, body } = await ask('GET', '/v1/pools');
  expect([statusCode, JSON.parse(body).detail]).toEqual([503, expect.stringContaining('restart it')]);
});

test.each([
  ['Reached the max retries per request limit (which is 2).', 'Redis does not respond. Try again later.'],
  ['Command timed out', 'Redis does not respond. Try again later.'],
  [
    "OOM command not allowed when used memory > 'maxmemory'. script: 5f1a, on @user_script:1.",
    "Redis refuses this now (OOM command not allowed when used memory > 'maxmemory'). Try again later.",
  ],
])('Redis that fails with "%s" is not an error of the manager', async (message, detail) => {
  const error = vi.fn();
  const views = () => Promise.reject(new Error(message));
  const { ask } = await openTestApi({ pools: { views, nodes } }, { log: { error, info() {}, debug() {} } });
  const answer = await ask('GET', '/v1/pools');
  expect([answer.statusCode, answer.headers['retry-after'], answer.json()]).toEqual([
    503,
    '1',
    { error: { code: 'unavailable', message: detail }, detail },
  ]);
  expect(error).not.toHaveBeenCalled();
});

test('a Fault is sent, and another exception is only logged', async () => {
  const error = vi.fn();
  const { ask } = await openTestApi(
    {
      pools: {
        views: () => Promise.reject(new Error('secret detail')),
        nodes,
        sendCommand: () => Promise.reject(new Fault('capacity', 'Full.')),
      },
    },
    { log: { error, info() {}, debug() {} } },
  );
  const internal = await ask('GET', '/v1/pools');
  expect([internal.statusCode, internal.body]).toEqual([500, expect.not.stringContaining('secret')]);
  expect(error).toHaveBeenCalledOnce();
  const full = await ask('DELETE', '/v1/pools/jobs');
  expect([full.statusCode, full.headers['retry-after'], full.json().detail]).toEqual([429, '1', 'Full.']);
});

test.each<[string, string, number, RegExp]>([
  ['not JSON', '{"name": ', 400, /not JSON/],
  ['too deep', '['.repeat(5000), 400, /The request body/],
  ['too long', `"${'x'.repeat(1024 ** 2)}"`, 413, /more than 1048576 bytes/],
])('a body that is %s is refused', async (_, body, status, why) => {
  const { ask } = await openTestApi({});
  const refused = await ask('POST', '/v1/pools', body, { 'content-type': 'application/json' });
  expect([refused.statusCode, refused.json().error]).toEqual([
    status,
    { code: 'invalid_command', message: expect.stringMatching(why) },
  ]);
});

test('a body that would be changed silently is refused', async () => {
  const { app, ask } = await openTestApi({});
  const half = await ask('POST', '/v1/workers', '{"agent_type": "CUSTOM", "command_line": ["\\ud800"]}');
  expect([half.statusCode, half.json().detail]).toEqual([
    400,
    expect.stringContaining('command_line.0 must'),
  ]);
  const post = async (bytes: Buffer, more: Record<string, string> = {}) => {
    const headers = { host: '127.0.0.1', 'content-type': 'application/json', ...more };
    const { statusCode, body } = await app.inject({
      method: 'POST',
      url: '/v1/pools',
      headers,
      payload: bytes,
    });
    return [statusCode, JSON.parse(body).detail];
  };
  expect(await post(Buffer.from('{"name": "\xff"}', 'latin1'))).toEqual([
    400,
    'The request body is not UTF-8.',
  ]);
  expect(await post(gzipSync('{}'), { 'content-encoding': 'gzip' })).toEqual([
    422,
    'The request body has the encoding gzip; send it as it is.',
  ]);
});

test('a parameter that no operation reads is refused by each of them', async () => {
  const { ask } = await openTestApi({ pools: { views, nodes } });
  for (const path of ['pools', 'images', 'nodes', 'stats', 'tasks', 'workers/x/explain']) {
    const { statusCode, body } = await ask('GET', `/v1/${path}?dry_run=1`);
    expect([path, statusCode, JSON.parse(body).detail]).toEqual([
      path,
      400,
      'The request was refused: dry_run is not a known field.',
    ]);
  }
});

test('a request has an ID, the one of the client if it sends one', async () => {
  const debug = vi.fn();
  const { ask } = await openTestApi({ pools: { views, nodes } }, { log: { error() {}, info() {}, debug } });
  const own = await ask('GET', '/v1/pools', undefined, { 'x-request-id': 'trace-7' });
  expect(own.headers['x-request-id']).toBe('trace-7');
  expect(debug).toHaveBeenCalledWith(
    expect.objectContaining({ http_request_id: 'trace-7', path: '/v1/pools', status: 200 }),
    'HTTP request handled',
  );
  const made = await ask('GET', '/v1/pools', undefined, { 'x-request-id': 'a\tb' });
  expect(made.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
});

test('the documentation needs no other server', async () => {
  const { ask } = await openTestApi({});
  expect((await ask('GET', '/openapi.json')).json()).toMatchObject({ openapi: '3.1.0' });
  const page = await ask('GET', '/docs');
  expect([page.statusCode, page.headers['content-type']]).toEqual([
    200,
    expect.stringContaining('text/html'),
  ]);
  const policy = page.headers['content-security-policy'];
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/https?:|swagger\.io|upgrade-insecure-requests/);
  for (const [, url = ''] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
    expect(url).not.toMatch(/^(https?:)?\/\//);
    const file = await ask('GET', new URL(url, 'http://127.0.0.1/docs').pathname);
    expect([url, file.statusCode]).toEqual([url, 200]);
  }
});

test('an upgrade with several Host headers is refused', async () => {
  const { app } = await openTestApi({});
  await app.listen({ port: 0, host: '127.0.0.1' });
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  const lines = ['Host: 127.0.0.1', 'Host: other.example', 'Connection: Upgrade', 'Upgrade: websocket'];
  socket.write(`GET /v1/workers/one/pty HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 [\s\S]*several Host headers/);
});
