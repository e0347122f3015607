/** What the routes make of a request, before anything is asked of Redis. */
import { expect, test } from 'vitest';
import type { ApiRequest, Route } from '../../src/http/route.ts';
import { TASK_OPERATIONS, taskAccepted } from '../../src/http/schemas/task-schemas.ts';
import { createTaskRoutes } from '../../src/http/tasks.ts';
import { openTestApi } from './api.ts';

const asked = (body: unknown, more: Partial<ApiRequest> = {}): ApiRequest => ({
  method: 'POST',
  path: '/',
  params: {},
  query: new URLSearchParams(),
  headers: {},
  json: async () => body,
  text: async () => JSON.stringify(body),
  ...more,
});

/** What is submitted by requests to `POST /task/submit`. */
async function submitted(...requests: ApiRequest[]): Promise<Record<string, unknown>[]> {
  const seen: Record<string, unknown>[] = [];
  const submit = async (given: unknown) => {
    seen.push(given as Record<string, unknown>);
    return { status: 'queued' as const, task_id: 't', position: 1, pool: 'default' };
  };
  const never = () => Promise.reject(new Error('not asked for'));
  const route = find(createTaskRoutes({ submit, get: never, cancel: never }), 'POST', '/task/submit');
  for (const request of requests) await route.handle(request);
  return seen;
}

/** The API of pools, and what was sent through it. */
async function openPoolApi() {
  const sent: object[] = [];
  const pools = {
    nodes: async () => [],
    views: async () => [],
    sendCommand: async (command: object) => {
      sent.push(command);
      return {};
    },
  };
  return { sent, ...(await openTestApi({ pools })) };
}

function find(routes: Route[], method: string, path: string): Route {
  const route = routes.find((one) => one.method === method && one.path === path);
  if (!route) throw new Error(`There is no ${method} ${path}.`);
  return route;
}

const TASK = { payload: { function: 'add' } };
const key = (text: string) => ({ 'idempotency-key': text });

test('a key names a task that has no name, the same key the same task', async () => {
  const [first, again, other, named, plain] = await submitted(
    asked(TASK, { headers: key('an order: 7/8') }),
    asked(TASK, { headers: key('an order: 7/8') }),
    asked(TASK, { headers: key('another') }),
    asked({ ...TASK, task_id: 'own' }, { headers: key('another') }),
    asked(TASK),
  );
  expect(first?.task_id).toMatch(/^key-[0-9a-f]{32}$/);
  expect(again?.task_id).toBe(first?.task_id);
  expect(other?.task_id).not.toBe(first?.task_id);
  expect(named?.task_id).toBe('own');
  expect(plain).toEqual(TASK);
});

test.each([null, 7, [TASK]])(
  'a submission that is not an object (%j) is passed on, to be refused',
  async (body) => {
    expect(await submitted(asked(body, { headers: key('k') }))).toEqual([body]);
  },
);

test.each(['http', 'any', 'order-7'])('the key %s is the request id of a command', async (text) => {
  const { ask, sent } = await openPoolApi();
  await ask('DELETE', '/v1/pools/jobs', undefined, key(text));
  expect(sent).toEqual([{ request_id: text, command: 'delete_pool', pool: 'jobs' }]);
});

test('the schemas describe every task route, and what the manager adds to an answer', async () => {
  const accepted = { status: 'queued' as const, task_id: 't', position: 1, pool: 'p', warning: 'No worker.' };
  const never = () => Promise.reject(new Error('not asked for'));
  const routes = createTaskRoutes({ submit: async () => accepted, get: never, cancel: never });
  const served = routes.map(({ method, path }) => `${method} ${path}`);
  const described = TASK_OPERATIONS.map(({ method, path }) => {
    return `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`;
  });
  expect(described).toEqual(served);
  const { body } = await find(routes, 'POST', '/task/submit').handle(asked(TASK));
  expect(taskAccepted.strict().parse(JSON.parse(body))).toEqual(accepted);
});

test('the manager serves the task routes of a node, with the same schemas', async () => {
  const seen: unknown[] = [];
  const accepted = { status: 'queued' as const, task_id: 't', position: 1, pool: 'p' };
  const submit = async (given: unknown) => {
    seen.push(given);
    return accepted;
  };
  const { ask, app } = await openTestApi({ tasks: { submit } });
  expect((await ask('POST', '/task/submit', TASK)).json()).toEqual(accepted);
  expect(seen).toEqual([TASK]);
  const { paths = {} } = app.swagger() as { paths?: Record<string, object> };
  for (const { method, path, refusals } of TASK_OPERATIONS) {
    const { responses } = (paths[path] as Record<string, { responses: object }>)[method] ?? {};
    for (const status of [200, ...Object.keys(refusals)]) expect(responses).toHaveProperty(String(status));
  }
});

// Three different tasks were one: the hash of nothing named them all.
test.each(['', ' '])('an empty key (%j) is refused', async (text) => {
  await expect(submitted(asked(TASK, { headers: key(text) }))).rejects.toThrow(/Idempotency-Key is empty/);
  const { ask, sent } = await openPoolApi();
  const refused = await ask('DELETE', '/v1/pools/jobs', undefined, key(text));
  expect([refused.statusCode, refused.json().error.message]).toEqual([
    400,
    expect.stringContaining('Idempotency-Key is empty'),
  ]);
  expect(sent).toEqual([]);
});

test('without a key the command has the ID of its request', async () => {
  const { ask, sent } = await openPoolApi();
  await ask('DELETE', '/v1/pools/jobs');
  const { headers } = await ask('DELETE', '/v1/pools/jobs');
  expect(sent[1]).toEqual({ request_id: headers['x-request-id'], command: 'delete_pool', pool: 'jobs' });
});

test.each([null, 7, []])('a pool that is %j is refused, and not a server error', async (body) => {
  const { ask, sent } = await openPoolApi();
  expect((await ask('PUT', '/v1/pools/jobs', body)).json().error.code).toBe('invalid_command');
  expect(sent).toEqual([]);
});

test('a pool is named by its path, and refused with the path of each wrong field', async () => {
  const { ask, sent } = await openPoolApi();
  await ask('PUT', '/v1/pools/jobs', { count: 1 });
  expect(sent).toMatchObject([{ command: 'apply', pool: { name: 'jobs', count: 1 } }]);
  const other = await ask('PUT', '/v1/pools/jobs', { name: 'others', count: 1 });
  expect(other.json().error.message).toContain('the name in the path');
  const wrong = await ask('PUT', '/v1/pools/jobs', { count: -1, colour: 'red' });
  expect(wrong.statusCode).toBe(400);
  expect(wrong.json().error.issues).toEqual([
    { path: 'count', message: 'must be at least 0' },
    { path: 'colour', message: 'is not a known field' },
  ]);
  const poisoned = await ask('POST', '/v1/pools', '{"name": "jobs", "count": 1, "__proto__": {"a": 1}}');
  expect(poisoned.json().error.issues).toContainEqual({
    path: '__proto__',
    message: 'is not an allowed name',
  });
  expect(sent).toHaveLength(1);
});
