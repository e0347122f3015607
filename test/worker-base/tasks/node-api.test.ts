/** The node API as a table: what is asked, and what is answered. */
import { afterEach, expect, test } from 'vitest';
import { type HttpServer, listen } from '../../../src/http/listener/listen.ts';
import { errorReply, taskView } from '../../../src/http/schemas/task-schemas.ts';
import { Fault, type TaskView } from '../../../src/model/index.ts';
import { QueueFull } from '../../../src/tasks/index.ts';
import { toView } from '../../../src/tasks/list/view.ts';
import { createNodeApiRoutes, type NodeApiDeps } from '../../../worker-base/tasks/node-api.ts';
import { health, metrics, OPERATIONS } from '../../../worker-base/tasks/node-schema.ts';
import { Durations } from '../../../worker-base/tasks/task-runs.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const durations = new Durations();
for (const seconds of [0.002, 0.2, 4]) durations.add(seconds);
const RESULTS = { completed: 2, failed: 1, timeout: 0, cancelled: 0, lost: 0, unreadable: 0 };
const FACTS: NodeApiDeps = {
  queue: {
    submit: async ({ task_id = 'made' }) => ({ task_id, status: 'queued', position: 3 }),
    get: async (id) => (id === 'known' ? ({ task_id: id, status: 'running' } as TaskView) : undefined),
    cancel: async (id, reason) =>
      ({ task_id: id, cancelled: true, error: { type: 'Cancelled', message: reason } }) as TaskView,
  },
  durations,
  totals: () => ({ completed: 2, failed: 1, retried: 0, fenced: 0, results: RESULTS, seconds: 4.2 }),
  activeTasks: () => 1,
  queueSize: async () => 7,
  status: () => 'ok',
  vitals: () => ({ cpuPercent: 12.5, memoryPercent: 50 }),
  cores: 2,
  memoryBytes: 4 * 1024 ** 3,
};

async function ask(path: string, options: RequestInit = {}, facts: Partial<NodeApiDeps> = {}) {
  const server = await listen({
    host: '127.0.0.1',
    port: 0,
    names: { host: 'WORKER_HOST', port: 'WORKER_PORT' },
    routes: createNodeApiRoutes({ ...FACTS, ...facts }),
    log: { error: () => {} },
  });
  servers.push(server);
  const response = await fetch(server.url + path, options);
  return { status: response.status, headers: response.headers, text: await response.text() };
}
const post = (body: unknown) => ({ method: 'POST', body: JSON.stringify(body) });
const PAYLOAD = { payload: { function: 'add', args: [1], kwargs: {} } };

test('a task is taken with its place in the queue, whatever content type a client names', async () => {
  const { status, text } = await ask('/task/submit', {
    ...post({ ...PAYLOAD, priority: 'high', task_id: 't' }),
  });
  expect([status, JSON.parse(text)]).toEqual([200, { status: 'queued', task_id: 't', position: 3 }]);
});

test.each<[string, unknown, string]>([
  ['no payload', {}, 'payload'],
  ['an empty payload', { payload: {} }, 'payload'],
  ['a priority of its own', { ...PAYLOAD, priority: 'urgent' }, 'priority'],
  ['an unknown field', { ...PAYLOAD, colour: 'blue' }, 'colour'],
])('%s is refused with the field at fault', async (_, body, path) => {
  const { status, text } = await ask('/task/submit', post(body));
  const { error } = JSON.parse(text);
  expect([status, error.code, error.issues[0].path]).toEqual([400, 'invalid_command', path]);
});

test('a full queue is a 429 with the time to retry', async () => {
  const submit = () => Promise.reject(new QueueFull('work', 100, 5));
  const { status, headers, text } = await ask('/task/submit', post(PAYLOAD), {
    queue: { ...FACTS.queue, submit },
  });
  expect([status, headers.get('retry-after'), JSON.parse(text).error.code]).toEqual([429, '2', 'capacity']);
});

test('while Redis is away, tasks are a 503 and health is not', async () => {
  const away = () => Promise.reject(new Fault('unavailable', 'Redis does not answer.'));
  const facts = { queue: { submit: away, get: away, cancel: away } };
  expect((await ask('/task/submit', post(PAYLOAD), facts)).status).toBe(503);
  expect((await ask('/task/known', {}, facts)).status).toBe(503);
  expect((await ask('/health', {}, facts)).status).toBe(200);
});

test.each([
  ['/task/known', 200],
  ['/task/unknown', 404],
  ['/task/%2e%2e%2fx', 404],
  ['/task/', 404],
])('%s is %i', async (path, status) => {
  expect((await ask(path)).status).toBe(status);
});

test.each([
  ['ok', 200, 'healthy'],
  ['paused', 200, 'paused'],
  ['draining', 503, 'draining'],
  ['starting', 503, 'starting'],
] as const)('health, when it is %s', async (state, status, told) => {
  const { status: code, text } = await ask('/health', {}, { status: () => state });
  const { timestamp, ...rest } = JSON.parse(text);
  expect(code).toBe(status);
  expect(Date.parse(timestamp)).toBeGreaterThan(0);
  const loads = { active_tasks: 1, queue_size: 7, cpu_percent: 12.5, memory_percent: 50 };
  expect(rest).toEqual({ status: told, ...loads });
});

test('a task is cancelled, with the reason that is given', async () => {
  const { status, text } = await ask('/task/known?reason=too%20late', { method: 'DELETE' });
  expect([status, JSON.parse(text)]).toMatchObject([
    200,
    { cancelled: true, error: { message: 'too late' } },
  ]);
});

test('a worker that ends accepts no task', async () => {
  const { status, text } = await ask('/task/submit', post(PAYLOAD), { status: () => 'draining' });
  expect([status, JSON.parse(text).error.code]).toEqual([503, 'unavailable']);
});

test('a refusal has its message where clients of FastAPI look for it, too', async () => {
  const { error, detail } = JSON.parse((await ask('/task/unknown')).text);
  expect([error.code, detail]).toEqual(['not_found', error.message]);
});

test('the OpenAPI document has every route, and the responses match it', async () => {
  const { status, text } = await ask('/openapi.json');
  const { openapi, paths } = JSON.parse(text);
  expect([status, openapi]).toEqual([200, '3.1.0']);
  const documented = Object.entries(paths).flatMap(([path, of]) =>
    Object.keys(of as object).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const served = createNodeApiRoutes(FACTS)
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/, '{$1}')}`)
    .filter((name) => !/openapi|docs/.test(name));
  expect(documented.sort()).toEqual(served.sort());
  const submit = paths['/task/submit'].post.requestBody.content['application/json'].schema;
  expect(submit.properties.priority).toMatchObject({ enum: ['low', 'normal', 'high', 'critical'] });
  expect(health.strict().safeParse(JSON.parse((await ask('/health')).text)).success).toBe(true);
  expect(metrics.strict().safeParse(JSON.parse((await ask('/metrics')).text)).success).toBe(true);
  expect(errorReply.strict().safeParse(JSON.parse((await ask('/task/unknown')).text)).success).toBe(true);
  const none = ['completed', '1', '1', '2', '3', null, null, null, '1', '1', null, null, null];
  for (const [state, reason] of [
    ['completed', null],
    ['failed', JSON.stringify({ type: 'E', message: 'no' })],
  ]) {
    const view = toView('t', 'p', Object.assign([...none], { 0: state, 6: reason }) as never);
    expect(taskView.strict().safeParse(view).error?.issues ?? []).toEqual([]);
  }
});

test('the page of the API needs no other server and no script', async () => {
  const { status, text, headers } = await ask('/docs');
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(headers.get('content-security-policy')).toMatch("default-src 'none'");
  expect(text).not.toMatch(/<script|https?:|src=/);
  for (const { path } of OPERATIONS) expect(text).toContain(path);
});

test('metrics, for programs and for Prometheus', async () => {
  const { uptime_seconds, ...rest } = JSON.parse((await ask('/metrics')).text);
  expect(uptime_seconds).toBeGreaterThan(0);
  expect(rest).toEqual({
    tasks_completed: 2,
    tasks_failed: 1,
    tasks_queued: 7,
    cpu_cores: 2,
    memory_total_gb: 4,
    average_execution_time: expect.closeTo(1.4),
  });
  const { text, headers } = await ask('/metrics/prometheus');
  expect(headers.get('content-type')).toMatch('text/plain; version=0.0.4');
  expect(text).toContain(
    '# TYPE task_duration_seconds histogram\ntask_duration_seconds_bucket{le="0.005"} 1\n',
  );
  expect(text).toContain('task_duration_seconds_bucket{le="0.25"} 2\n');
  expect(text).toContain('task_duration_seconds_bucket{le="+Inf"} 3\n');
  expect(text).toMatch(/^tasks_completed_total 2$/m);
  expect(text).toMatch(/^queue_size 7$/m);
});
