/** Where `wm ps` gets its workers from. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Context } from '../../../src/cli/context.ts';
import { listWorkers } from '../../../src/cli/workers/list-workers.ts';

/** What is the same from both sources. */
const SAME = {
  agent_type: 'CUSTOM',
  labels: {},
  desired: 'running',
  status: 'RUNNING',
  phase: 'ready',
  reason: '',
  restarts: 0,
  incarnation: 1,
  created_at: '2026-01-01T00:00:00.000Z',
};
/** As the HTTP API shows it. */
const view = (worker_id: string) => ({
  ...SAME,
  worker_id,
  name: null,
  runtime: 'process',
  pool: null,
  exit_code: null,
  node_url: null,
  message: 'not in a summary',
});
/** As the store summarizes it. */
const worker = (worker_id: string) => ({ ...SAME, worker_id, name: undefined, runtime: 'process' });
const node = (worker_id: string, external: boolean) => ({
  worker_id,
  external,
  pool: 'jobs',
  url: 'http://h:5000',
  state: 'busy',
  started_at: SAME.created_at,
});
const FROM_REDIS = { workers: [worker('redis')] };

/** A manager that answers each path from the table, and the requests that it got. */
async function openManager(answers: Record<string, { status?: number; body: object }>) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const { status = 200, body } = answers[request.url ?? ''] ?? { status: 404, body: {} };
    response.writeHead(status).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** A cell whose Redis has one worker, and a leader if `led`. */
const contextOf = (api: { url: string; token?: string; explicit?: boolean } | undefined, led = true) =>
  ({
    deps: { api: () => api && { token: undefined, explicit: false, ...api } },
    session: async () => ({
      store: { summaries: async () => FROM_REDIS.workers },
      leader: async () => (led ? { owner: 'one', epoch: 1 } : undefined),
      settings: { cell: 'blue' },
    }),
  }) as unknown as Context;

const health = (role: string) => ({
  status: 503,
  body: { status: 'failing', checks: { leadership: { ok: true, message: role } } },
});

test('all pages are requested from the leader, with the token', async () => {
  const { url, requests } = await openManager({
    '/healthz': health('leader'),
    '/v1/workers?limit=1000': { body: { items: [view('a')], next_cursor: 'next one' } },
    '/v1/workers?limit=1000&cursor=next%20one': { body: { items: [view('b')], next_cursor: null } },
    '/v1/nodes': { body: { items: [node('b', false), node('c', true)], next_cursor: null } },
  });
  const answer = await listWorkers(contextOf({ url, token: 'secret' }));
  expect(answer.workers.slice(0, 2)).toStrictEqual([worker('a'), worker('b')]);
  expect(answer.workers.slice(2)).toMatchObject([{ worker_id: 'c', external: true, phase: 'ready' }]);
  expect(requests.map(({ headers }) => headers.authorization)).toEqual(Array(4).fill('Bearer secret'));
});

test('Redis is read if the manager is unknown, away, a standby or without this API', async () => {
  const page = { body: { items: [view('http')], next_cursor: null } };
  const standby = await openManager({
    '/healthz': health('standby'),
    '/v1/workers?limit=1000': page,
    '/v1/nodes': { body: { items: [], next_cursor: null } },
  });
  const older = await openManager({ '/healthz': health('leader') });
  const away = { url: 'http://127.0.0.1:1' };
  for (const api of [undefined, away, standby, older])
    expect(await listWorkers(contextOf(api))).toEqual(FROM_REDIS);
  expect(await listWorkers(contextOf(standby, false))).toEqual({ ...FROM_REDIS, unled: 'blue' });
});

test('a manager that the user named is the only source', async () => {
  const url = 'http://127.0.0.1:1';
  await expect(listWorkers(contextOf({ url, explicit: true }))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`The manager does not answer at ${url} (`),
  });
  const refusing = await openManager({
    '/v1/workers?limit=1000': { status: 401, body: { error: { message: 'Set the token.' } } },
  });
  await expect(listWorkers(contextOf({ ...refusing, explicit: true }))).rejects.toThrow(
    /refuses the token. Check WM_TOKEN/,
  );
});
