/** `/mcp` against requests that are wrong, and clients that leave. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { connectTools, type ToolClient } from './client.ts';

const LONG = 120_000;
const [redisUrl, cell] = [inject('redisUrl'), newCell()];
const CAT = { agent_type: 'CUSTOM', command_line: ['cat'] };
let manager: Manager;
let tools: ToolClient;

beforeAll(async () => {
  manager = await startManager({ redisUrl, cell });
  tools = await connectTools(manager, 'modern');
}, LONG);
afterAll(async () => {
  await tools.close();
  await manager.stop();
  await cleanCell({ redisUrl, cell, home: manager.home });
});

const JSON_TYPE = { 'content-type': 'application/json' };
const ACCEPT = { ...JSON_TYPE, accept: 'application/json, text/event-stream' };

function post(body: unknown, headers: Record<string, string> = ACCEPT): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${manager.url}/mcp`, {
    method: 'POST',
    headers: { ...manager.headers, ...headers },
    body: text,
  });
}

const call = (name: string, args: object, id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});

test.each<[string, unknown]>([
  ['no JSON', 'not json'],
  ['nothing', ''],
  ['null', 'null'],
  ['a number', '7'],
  ['no method', { jsonrpc: '2.0', id: 1 }],
  ['another version', { jsonrpc: '1.0', id: 1, method: 'ping' }],
  ['deep nesting', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
  ['a method with a wrong type', { jsonrpc: '2.0', id: 1, method: 7 }],
  ['an ID with a wrong type', call('list', {}, { a: 1 })],
])('a body with %s is refused', async (_, body) => {
  const response = await post(body);
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
  await response.text();
});

test('wrong arguments are answers for the agent, and unknown tools are errors', async () => {
  for (const [name, args] of [
    ['create', {}],
    ['create', { ...CAT, runtime: 'process' }],
    ['create', { ...CAT, name: '../x' }],
    ['create', JSON.parse('{"agent_type":"CUSTOM","command_line":["cat"],"__proto__":{"a":1},"labels":{}}')],
    ['send', { worker: 'a b', prompt: 'x' }],
    ['output', { worker: 'x', after: '$' }],
    ['output', { worker: 'x', wait_seconds: 1e9 }],
    ['list', { cursor: '-' }],
    ['exec', { worker: 'x', command: ['a'], shell: 'b' }],
    ['exec', { worker: 'x', command: ['a\0b'] }],
    ['read_file', { worker: 'x', path: '' }],
    ['unknown', {}],
  ] as const) {
    const text = await (await post(call(name, args))).text();
    expect(text, name).toMatch(/"isError":true|"error":\{"code":-326/);
  }
  expect((await tools.call('list')).value.workers).toEqual([]);
});

test('only a client with a token of this manager gets in, from no other site', async () => {
  const url = `${manager.url}/mcp`;
  const body = JSON.stringify(call('list', {}));
  const status = async (headers: Record<string, string>, method = 'POST') =>
    (await fetch(url, { method, headers, ...(method === 'POST' && { body }) })).status;
  expect(await status(ACCEPT)).toBe(401);
  expect(await status({ ...ACCEPT, authorization: 'Bearer wrong' })).toBe(401);
  const forged = `wmw_11111111-1111-4111-8111-111111111111_${'A'.repeat(43)}`;
  expect(await status({ ...ACCEPT, authorization: `Bearer ${forged}` })).toBe(401);
  const known = { ...ACCEPT, ...manager.headers };
  expect(await status({ ...known, origin: 'https://evil.example' })).toBe(403);
  expect(await status(known)).toBe(200);
  for (const method of ['GET', 'DELETE']) expect(await status(manager.headers, method)).toBe(405);
});

test('clients that leave end their waiting, and the manager keeps answering', { timeout: LONG }, async () => {
  const { value } = await tools.call('create', CAT);
  const worker = value.worker_id;
  const leave = new AbortController();
  const waiting = Array.from({ length: 60 }, (_one, at) =>
    fetch(`${manager.url}/mcp`, {
      method: 'POST',
      headers: { ...ACCEPT, ...manager.headers, 'mcp-session-id': 'one' },
      body: JSON.stringify(
        at % 2 === 0
          ? call('output', { worker, after: '99999999999999', wait_seconds: 3000 }, at)
          : call('exec', { worker, shell: `exec sleep 3${at}.77`, timeout_seconds: 3000 }, at),
      ),
      signal: leave.signal,
    })
      .then((response) => response.text())
      .then(
        () => 'answered',
        () => 'left',
      ),
  );
  const running = async () =>
    (
      await tools.call('exec', {
        worker,
        shell: "cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -o 'sleep 3[0-9]*[.]77' | wc -l",
      })
    ).value.stdout.trim();
  await expect.poll(running, { timeout: 30_000 }).toBe('30');
  leave.abort();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['left']));
  await expect.poll(running, { timeout: 30_000 }).toBe('0');
  const began = performance.now();
  expect((await tools.call('status', { worker })).value.status).toBe('RUNNING');
  expect(performance.now() - began).toBeLessThan(10_000);
  const metrics = async () => (await fetch(`${manager.url}/metrics`)).text();
  await expect.poll(metrics).toMatch(/open_connections\{kind="exec"\} 0/);
  await tools.call('delete', { worker });
});
