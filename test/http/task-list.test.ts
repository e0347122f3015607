/** `/v1/tasks`, `/v1/images` and `/v1/stats` without a manager. */
import { expect, test } from 'vitest';
import { Fault, type TaskView } from '../../src/model/index.ts';
import { QueueFull } from '../../src/tasks/index.ts';
import { createTaskService, type TaskServiceOptions } from '../../src/tasks/task-service.ts';
import { openTestApi } from './api.ts';

const TASK = { payload: { function: 'add' } };
const NDJSON = { 'content-type': 'application/x-ndjson' };
const json = { 'content-type': 'application/json' };

/** A service whose pool `work` accepts tasks until it has `room` of them. */
function openService(room = 10) {
  const submitted: string[] = [];
  const queue = () => ({
    async submit({ task_id = 'new' }: { task_id?: string }) {
      if (submitted.length >= room) throw new QueueFull('work', room, 0);
      submitted.push(task_id);
      return { task_id, status: 'queued', position: submitted.length };
    },
  });
  const service = createTaskService({
    tasks: { queue, pools: async () => ['work'] } as unknown as TaskServiceOptions['tasks'],
    getPool: async () => undefined,
    poolNames: async () => ['work'],
    nodePools: async () => ['work'],
    defaultServed: async () => false,
  });
  return { service, submitted };
}

test('one task is answered with its address, and many with a line each', async () => {
  const { service, submitted } = openService();
  const { ask } = await openTestApi({ tasks: service });
  const one = await ask('POST', '/v1/tasks', { ...TASK, task_id: 't-1' }, json);
  expect([one.statusCode, one.headers.location]).toEqual([202, '/v1/tasks/t-1?pool=work']);
  expect(one.json()).toEqual({ task_id: 't-1', status: 'queued', position: 1, pool: 'work' });
  const lines = `${JSON.stringify({ ...TASK, task_id: 't-2' })}\n\nnot json\n${JSON.stringify(TASK)}`;
  const many = await ask('POST', '/v1/tasks', lines, NDJSON);
  expect([many.statusCode, many.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
  const results = many.body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(results).toMatchObject([
    { line: 1, task_id: 't-2', position: 2 },
    { line: 3, error: { code: 'invalid_command', message: expect.stringContaining('not JSON') } },
    { line: 4, task_id: 'new', position: 3 },
  ]);
  expect(submitted).toEqual(['t-1', 't-2', 'new']);
  expect((await ask('POST', '/v1/tasks', '', NDJSON)).body).toBe('');
});

test('a key makes the lines of a repeated request the same tasks, and each line another task', async () => {
  const { service, submitted } = openService();
  const { ask } = await openTestApi({ tasks: service });
  const lines = `${JSON.stringify(TASK)}\n`.repeat(2);
  for (let at = 0; at < 2; at += 1)
    await ask('POST', '/v1/tasks', lines, { ...NDJSON, 'idempotency-key': 'k' });
  expect(submitted.slice(2)).toEqual(submitted.slice(0, 2));
  expect(new Set(submitted).size).toBe(2);
});

test('a full queue is answered with the time to retry, alone and in lines', async () => {
  const { ask } = await openTestApi({ tasks: openService(0).service });
  const one = await ask('POST', '/v1/tasks', TASK, json);
  expect([one.statusCode, one.headers['retry-after']]).toEqual([429, '5']);
  const many = await ask('POST', '/v1/tasks', JSON.stringify(TASK), NDJSON);
  expect(JSON.parse(many.body)).toMatchObject({ line: 1, error: { code: 'capacity' } });
});

test.each<[string, object]>([
  ['/v1/tasks?limit=0', { path: 'limit' }],
  ['/v1/tasks?limit=1001', { path: 'limit' }],
  ['/v1/tasks?status=done', { path: 'status' }],
  ['/v1/tasks/a%20b', { path: 'task_id' }],
])('%s is refused with the parameter', async (url, issue) => {
  const { ask } = await openTestApi({});
  const refused = await ask('GET', url);
  expect([refused.statusCode, refused.json().error.issues]).toEqual([400, [expect.objectContaining(issue)]]);
});

test('the filters of a list are passed on', async () => {
  const seen: unknown[] = [];
  const list = async (query: unknown) => {
    seen.push(query);
    return { items: [], next_cursor: 'next' };
  };
  const { ask } = await openTestApi({ tasks: { list } });
  expect((await ask('GET', '/v1/tasks?pool=work&status=failed&limit=5&cursor=abc')).json()).toEqual({
    items: [],
    next_cursor: 'next',
  });
  await ask('GET', '/v1/tasks');
  expect(seen).toEqual([{ pool: 'work', status: 'failed', limit: 5, cursor: 'abc' }, { limit: 100 }]);
});

test('a cancellation that comes too late is a conflict, and a repeated one is not', async () => {
  const cancel = async (task_id: string) =>
    ({ task_id, status: 'failed', completed_at: 'now', cancelled: task_id === 'cancelled' }) as TaskView;
  const { ask } = await openTestApi({ tasks: { cancel } });
  expect((await ask('POST', '/v1/tasks/cancelled/cancel')).statusCode).toBe(200);
  const late = await ask('POST', '/v1/tasks/failed/cancel');
  expect([late.statusCode, late.json().error.code]).toEqual([409, 'conflict']);
});

test('a retry has the key of its request', async () => {
  const seen: unknown[] = [];
  const retry = async (task_id: string, options: unknown) => {
    seen.push([task_id, options]);
    return { task_id } as TaskView;
  };
  const { ask } = await openTestApi({ tasks: { retry } });
  await ask('POST', '/v1/tasks/t/retry?pool=work', undefined, { 'idempotency-key': 'k' });
  expect(seen).toEqual([['t', { pool: 'work', key: 'k' }]]);
});

test('a manager without images says why it lists none', async () => {
  const list = () => Promise.reject(new Fault('unsupported', 'This manager has no worker images.'));
  const { ask } = await openTestApi({ images: { list } });
  expect((await ask('GET', '/v1/images')).statusCode).toBe(422);
});
