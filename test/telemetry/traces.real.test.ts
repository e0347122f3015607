/** Traces of real managers, as a collector gets them. */
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { connect, fromRedis, type WorkerInput } from '../../src/client/index.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { type ReceivedSpan, startOtlpReceiver } from './otlp-receiver.ts';

const SOON = { timeout: 30_000, interval: 50 };
const redisUrl = inject('redisUrl');

/** A caller's span. */
function newCaller(flags = '01') {
  const [trace, id] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { trace, id, traceparent: `00-${trace}-${id}-${flags}` };
}

async function openTracedCell() {
  const receiver = await startOtlpReceiver();
  const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
  const options = { redisUrl, cell: newCell(), home };
  const managers: Manager[] = [];
  onTestFinished(async () => {
    for (const manager of managers) await manager.stop();
    await cleanCell(options);
  });
  const start = async (env: Record<string, string> = {}) => {
    const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, API_TOKEN: 'token-of-the-test', ...env };
    const manager = await startManager({ ...options, env: traced });
    managers.push(manager);
    return manager;
  };
  return { receiver, options, start };
}

const post = async (
  { url, headers }: Manager,
  path: string,
  body: unknown,
  traceparent?: string,
  method = 'POST',
): Promise<Record<string, unknown>> => {
  const response = await fetch(url + path, {
    method,
    headers: { ...headers, ...(traceparent && { traceparent }) },
    body: JSON.stringify(body),
  });
  expect(response.ok, await response.clone().text()).toBe(true);
  return (await response.json()) as Record<string, unknown>;
};

/** Until then, another manager that starts may lead instead. */
const leads = ({ url }: Manager) =>
  vi.waitFor(async () => expect(await (await fetch(`${url}/readyz`)).text()).toContain('leader'), SOON);

const find = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan => {
  const span = spans.find((one) => one.name === name);
  expect(span, `${name} in ${spans.map((one) => one.name).join(', ')}`).toBeDefined();
  return span as ReceivedSpan;
};

const ECHO = {
  agent_type: 'CUSTOM',
  instructions: '',
  allowed_commands: [],
  modules: [],
  command_line: ['cat'],
};

test("a worker's start is one trace, in that of its caller", { timeout: 120_000 }, async () => {
  const { receiver, options, start } = await openTracedCell();
  const manager = await start();
  const caller = newCaller();
  const { worker_id } = await post(manager, '/v1/workers?wait=ready', ECHO, caller.traceparent);
  const names = ['command create', 'worker start', 'create body', 'boot', 'wrapper boot', 'reconcile'];
  await vi.waitFor(() => {
    const got = new Set(receiver.ofTrace(caller.trace).map(({ name }) => name));
    expect(names.filter((name) => !got.has(name))).toEqual([]);
  }, SOON);
  const spans = receiver.ofTrace(caller.trace);
  const command = find(spans, 'command create');
  const root = find(spans, 'worker start');
  expect(command.parent).toBe(caller.id);
  expect(root).toMatchObject({ parent: command.id, error: undefined });
  expect(root.attributes).toMatchObject({
    'worker_manager.worker_id': worker_id,
    'worker_manager.phase': 'ready',
  });
  for (const name of ['create body', 'boot', 'wrapper boot', 'reconcile'])
    expect([name, find(spans, name).parent]).toEqual([name, root.id]);
  // The phases follow each other, within the start.
  const [create, boot] = [find(spans, 'create body'), find(spans, 'boot')];
  expect(create.end).toBe(boot.start);
  expect(boot.end).toBeLessThanOrEqual(root.end);
  expect(find(spans, 'wrapper environment').parent).toBe(find(spans, 'wrapper boot').id);
  // Calls to the runtime belong to the reconcile that made them.
  const reconciles = new Set(spans.filter(({ name }) => name === 'reconcile').map(({ id }) => id));
  expect(reconciles.has(find(spans, 'process create').parent ?? '')).toBe(true);
  expect(new Set(spans.map(({ id }) => id)).size).toBe(spans.length);
  const ids = new Set([caller.id, ...spans.map(({ id }) => id)]);
  expect(spans.filter(({ parent }) => !ids.has(parent ?? ''))).toEqual([]);
  // Every line about the worker has the trace.
  const lines = manager
    .log()
    .split('\n')
    .filter((line) => line.includes(String(worker_id)));
  const about = lines.filter((line) => /worker changed|command settled/.test(line));
  expect(about.length).toBeGreaterThanOrEqual(2);
  for (const line of about) expect(line).toContain(`"trace_id":"${caller.trace}"`);

  // The same on the stream; a caller that records nothing is respected; without a caller, there is a new trace.
  const redis = new Redis(redisUrl);
  onTestFinished(() => redis.disconnect());
  const [traced, untraced] = [newCaller(), newCaller('00')];
  const send = (request_id: string, more: object) => {
    const command = { command: 'create', request_id, ...ECHO, ...more };
    return redis.xadd(`${options.cell}:worker:commands`, '*', 'data', JSON.stringify(command));
  };
  await send('untraced', { traceparent: untraced.traceparent });
  await send('wrong', { traceparent: '00-1-2-3' });
  await send('traced', { traceparent: traced.traceparent });
  await send('none', {});
  const isStart = ({ name }: ReceivedSpan) => name === 'worker start';
  await vi.waitFor(() => expect(receiver.spans.filter(isStart)).toHaveLength(3), SOON);
  expect(find(receiver.ofTrace(traced.trace), 'command create').parent).toBe(traced.id);
  expect(receiver.ofTrace(untraced.trace)).toEqual([]);
  const own = receiver.spans.filter(
    (span) => isStart(span) && ![caller.trace, traced.trace].includes(span.trace),
  );
  expect(
    receiver.ofTrace(own[0]?.trace ?? '').find(({ name }) => name === 'command create')?.parent,
  ).toBeUndefined();
  const answers = JSON.stringify(await redis.xrange(`${options.cell}:worker:responses`, '-', '+'));
  expect(answers).toContain('traceparent must be a W3C traceparent');
});

test("the SDK keeps its caller's trace, over HTTP and over Redis", { timeout: 120_000 }, async () => {
  const { receiver, options, start } = await openTracedCell();
  const { url, token } = await start();
  const clients = [connect({ url, token }), await fromRedis(redisUrl, { cell: options.cell })];
  onTestFinished(async () => {
    for (const client of clients) await client.close();
  });
  for (const client of clients) {
    const [creator, restarter] = [newCaller(), newCaller()];
    const worker = await client.workers.create(ECHO as WorkerInput, {
      traceparent: creator.traceparent,
      wait: 'ready',
    });
    await worker.restart({ traceparent: restarter.traceparent });
    for (const [caller, command] of [
      [creator, 'command create'],
      [restarter, 'command restart'],
    ] as const) {
      await vi.waitFor(() => find(receiver.ofTrace(caller.trace), 'worker start'), SOON);
      const spans = receiver.ofTrace(caller.trace);
      expect(find(spans, command).parent).toBe(caller.id);
      expect(find(spans, 'worker start').attributes['worker_manager.worker_id']).toBe(worker.id);
    }
  }
});

test('a collector that is away does not delay the shutdown', { timeout: 120_000 }, async () => {
  const { start } = await openTracedCell();
  // Nothing listens there.
  const manager = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  await post(manager, '/v1/workers?wait=ready', ECHO);
  const began = performance.now();
  expect(await manager.stop()).toBe(0);
  // An export is retried for 10 s.
  expect(performance.now() - began).toBeLessThan(6000);
});

test('a manager that dies in the middle leaves its trace to the next', { timeout: 120_000 }, async () => {
  const { receiver, start } = await openTracedCell();
  const caller = newCaller();
  const first = await start({ WM_CRASH_AT: 'act:start:before' });
  await leads(first);
  const second = await start();
  await post(second, '/v1/workers?wait=ready', ECHO, caller.traceparent);
  expect(await first.exited).toBe(-1);
  await vi.waitFor(() => find(receiver.ofTrace(caller.trace), 'worker start'), SOON);
  const spans = receiver.ofTrace(caller.trace);
  const root = find(spans, 'worker start');
  // The phases before the crash are in it, from the history.
  expect(root.end - root.start).toBeGreaterThanOrEqual(
    find(spans, 'boot').end - find(spans, 'create body').start,
  );
  expect(find(spans, 'create body').parent).toBe(root.id);
  expect(spans.filter(({ name }) => name === 'reconcile').every(({ parent }) => parent === root.id)).toBe(
    true,
  );
});

test('a task is one trace, also one that ended while no manager led', { timeout: 120_000 }, async () => {
  const { receiver, start } = await openTracedCell();
  const first = await start();
  await leads(first);
  const second = await start({ LEASE_SECONDS: '3' });
  const pool = { name: 'jobs', count: 1, execution_mode: 'direct', commands: true };
  await post(first, '/v1/pools', pool);
  const submit = async (manager: Manager, task_id: string, command: string[], traceparent?: string) => {
    await post(manager, '/v1/tasks', { task_id, pool: 'jobs', payload: { command } }, traceparent);
    await vi.waitFor(async () => {
      const shown = await fetch(`${manager.url}/v1/tasks/${task_id}`, { headers: manager.headers });
      expect(await shown.json()).toMatchObject({ completed_at: expect.any(String) });
    }, SOON);
  };
  const caller = newCaller();
  await submit(first, 'good', ['sleep', '0.2'], caller.traceparent);
  await vi.waitFor(() => expect(receiver.ofTrace(caller.trace)).toHaveLength(3), SOON);
  const spans = receiver.ofTrace(caller.trace);
  const [task, wait, run] = ['task', 'wait in queue', 'run'].map((name) => find(spans, name)) as [
    ReceivedSpan,
    ReceivedSpan,
    ReceivedSpan,
  ];
  expect([task.parent, wait.parent, run.parent]).toEqual([caller.id, task.id, task.id]);
  expect([wait.start, wait.end, run.end]).toEqual([task.start, run.start, task.end]);
  expect(run.end - run.start).toBeGreaterThanOrEqual(200);
  expect(task.attributes).toMatchObject({ 'worker_manager.task_id': 'good', 'worker_manager.pool': 'jobs' });

  first.kill('SIGKILL');
  await first.exited;
  await submit(second, 'bad', ['/does/not/exist']);
  const isBad = ({ name, attributes }: ReceivedSpan) =>
    name === 'task' && attributes['worker_manager.task_id'] === 'bad';
  await vi.waitFor(() => expect(receiver.spans.filter(isBad)).toHaveLength(1), SOON);
  expect(receiver.spans.find(isBad)).toMatchObject({ error: 'The task failed.', parent: undefined });
});
