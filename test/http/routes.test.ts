/** What the routes make of a request, before anything is asked of Redis. */
import { expect, test } from 'vitest';
import { createPoolRoutes } from '../../src/http/pools.ts';
import type { ApiRequest, Route } from '../../src/http/route.ts';
import { TASK_OPERATIONS, taskAccepted } from '../../src/http/task-schemas.ts';
import { createTaskRoutes } from '../../src/http/tasks.ts';
import { Fault } from '../../src/model/index.ts';

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

/** What is asked of the manager by a request to a route of pools. */
async function commanded(method: Route['method'], path: string, request: ApiRequest): Promise<object> {
  let seen: object = {};
  const routes = createPoolRoutes({
    nodes: async () => [],
    views: async () => [],
    sendCommand: async (command) => {
      seen = command;
      return {};
    },
  });
  await find(routes, method, path).handle(request);
  return seen;
}

function find(routes: Route[], method: string, path: string): Route {
  const route = routes.find((one) => one.method === method && one.path === path);
  if (!route) throw new Error(`There is no ${method} ${path}.`);
  return route;
}

const TASK = { payload: { function: 'add' } };
const key = (text: string) => ({ headers: { 'idempotency-key': text } });

test('a key names a task that has no name, the same key the same task', async () => {
  const [first, again, other, named, plain] = await submitted(
    asked(TASK, key('an order: 7/8')),
    asked(TASK, key('an order: 7/8')),
    asked(TASK, key('another')),
    asked({ ...TASK, task_id: 'own' }, key('another')),
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
    expect(await submitted(asked(body, key('k')))).toEqual([body]);
  },
);

test.each(['http', 'any', 'order-7'])('the key %s is the request id of a command', async (text) => {
  const params = { name: 'jobs' };
  const command = await commanded('DELETE', '/v1/pools/:name', asked(undefined, { params, ...key(text) }));
  expect(command).toEqual({ request_id: text, command: 'delete_pool', pool: 'jobs' });
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

// Three different tasks were one: the hash of nothing named them all.
test.each(['', ' '])('an empty key (%j) is refused', async (text) => {
  await expect(submitted(asked(TASK, key(text)))).rejects.toThrow(/Idempotency-Key is empty/);
  const params = { name: 'jobs' };
  await expect(
    commanded('DELETE', '/v1/pools/:name', asked(undefined, { params, ...key(text) })),
  ).rejects.toThrow(/Idempotency-Key is empty/);
});

test('without a key the request id is left to the client', async () => {
  const command = await commanded(
    'DELETE',
    '/v1/pools/:name',
    asked(undefined, { params: { name: 'jobs' } }),
  );
  expect(command).toEqual({ command: 'delete_pool', pool: 'jobs' });
});

test.each([null, 7, []])('a pool that is %j is refused, and not a server error', async (body) => {
  const params = { name: 'jobs' };
  await expect(commanded('PUT', '/v1/pools/:name', asked(body, { params }))).rejects.toThrow(Fault);
});
