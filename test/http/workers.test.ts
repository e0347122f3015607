/** What the routes of workers make of a request, without a manager. */
import { expect, test } from 'vitest';
import { Fault, type WorkerView, workerView } from '../../src/model/index.ts';
import { openTestApi } from './api.ts';

const ID = '11111111-2222-4333-8444-555555555555';
const VIEW: WorkerView = {
  worker_id: ID,
  name: 'one',
  agent_type: 'CUSTOM',
  runtime: 'process',
  labels: { team: 'blue' },
  pool: null,
  desired: 'running',
  status: 'RUNNING',
  phase: 'ready',
  reason: '',
  message: '',
  exit_code: null,
  incarnation: 1,
  restarts: 0,
  generation: 3,
  observed_generation: 3,
  ip_address: null,
  image: null,
  node_url: null,
  created_at: '2026-01-01T00:00:00.000Z',
  started_at: null,
  running_at: null,
  finished_at: null,
  next_retry_at: null,
};

async function open(view: WorkerView = VIEW) {
  const sent: Record<string, unknown>[] = [];
  const inputs: unknown[] = [];
  const kept: boolean[] = [];
  const api = await openTestApi({
    workers: {
      get: async () => view,
      findId: async (name) => (name === 'fix' ? ID : undefined),
      sendCommand: async (command) => {
        const { if_generation } = command as { if_generation?: number };
        if (if_generation === 2)
          throw new Fault('conflict', 'Changed.', { issues: [{ path: 'if_generation', message: 'is 3' }] });
        sent.push(command);
        return { worker_id: ID, warnings: ['A warning.'] };
      },
      page: async ({ keep, limit }) => {
        if (keep) kept.push(keep(VIEW));
        return { items: [VIEW], next: limit === 1 ? `1767225600000-${ID}` : undefined };
      },
      before: async () => '0',
      sendInput: async (_, input) => {
        inputs.push(input);
        return { outcome: 'sent', entry_id: '1-0' };
      },
      waitFor: async (_, goal) => ({
        outcome: goal === 'ready' ? 'missed' : 'late',
        observation: { deleted: false, current: true, status: undefined },
      }),
      now: () => 1_767_225_600_000,
      isKnown: async () => true,
    },
  });
  return { ...api, sent, inputs, kept };
}

test('a create is a command with the fields of the body', async () => {
  const { ask, sent } = await open();
  const body = { agent_type: 'CUSTOM', command_line: ['true'] };
  const created = await ask('POST', '/v1/workers', body, { 'idempotency-key': 'order-7' });
  expect(created.statusCode).toBe(201);
  expect(created.headers).toMatchObject({ location: `/v1/workers/${ID}`, etag: '"3"' });
  expect(created.json()).toEqual({ ...VIEW, warnings: ['A warning.'] });
  expect(sent).toEqual([{ request_id: 'order-7', command: 'create', ...body }]);
});

test.each([
  [{ agent_type: 'CUSTOM', command_line: ['true'], colour: 'red' }, 'colour'],
  [{ agent_type: 'CUSTOM' }, 'command_line'],
  [{ agent_type: 'NOBODY', command_line: ['true'] }, 'agent_type'],
  [{ agent_type: 'CUSTOM', command_line: ['true'], request_id: 'x' }, 'request_id'],
  [{ agent_type: 'CUSTOM', command_line: ['true'], resources: { memory: 'much' } }, 'resources.memory'],
])('a create with wrong fields is refused with their paths (%#)', async (body, path) => {
  const { ask, sent } = await open();
  const refused = await ask('POST', '/v1/workers', body);
  expect([refused.statusCode, refused.json().error.issues[0].path]).toEqual([400, path]);
  expect(sent).toEqual([]);
});

test('a worker that cannot reach the state any more is a conflict, and one that is late a timeout', async () => {
  const { ask } = await open();
  const missed = await ask('GET', `/v1/workers/${ID}?wait=ready`);
  expect([missed.statusCode, missed.json().worker_id, missed.json().error.code]).toEqual([
    409,
    ID,
    'conflict',
  ]);
  const late = await ask('GET', `/v1/workers/${ID}?wait=ended&timeout_seconds=0`);
  expect([late.statusCode, late.json().worker_id, late.json().error.code]).toEqual([504, ID, 'unavailable']);
});

test('a change that is based on an older generation is refused', async () => {
  const { ask, sent } = await open();
  const refused = await ask('POST', `/v1/workers/${ID}/stop`, undefined, { 'if-match': '"2"' });
  expect([refused.statusCode, refused.json().error.code]).toEqual([412, 'conflict']);
  for (const tag of ['"3"', '*', '"1", "3"'])
    expect((await ask('POST', `/v1/workers/${ID}/stop`, undefined, { 'if-match': tag })).statusCode).toBe(
      200,
    );
  // The command compares it again, in the step that writes.
  expect(sent.map(({ if_generation }) => if_generation)).toEqual([3, undefined, 3]);
  expect((await ask('DELETE', `/v1/workers/${ID}`, undefined, { 'if-match': 'W/"3"' })).statusCode).toBe(412);
});

test('a create is described without reading the worker, unless it may be old or run already', async () => {
  const created_at = '2026-02-02T00:00:00.000Z';
  let read = 0;
  const { ask } = await openTestApi({
    workers: {
      sendCommand: async () => ({ worker_id: ID, runtime: 'process', created_at }),
      get: async () => {
        read += 1;
        return VIEW;
      },
      waitFor: async () => ({
        outcome: 'reached',
        observation: { deleted: false, current: true, status: undefined },
      }),
    },
  });
  const body = { agent_type: 'CUSTOM', command_line: ['true'], name: 'new', labels: { team: 'red' } };
  const created = await ask('POST', '/v1/workers', body);
  expect([created.statusCode, created.headers.etag, read]).toEqual([201, '"1"', 0]);
  expect(workerView.parse(created.json())).toEqual(created.json());
  const shown = { name: 'new', labels: { team: 'red' }, runtime: 'process', created_at, phase: 'accepted' };
  expect(created.json()).toMatchObject({ worker_id: ID, status: 'STARTING', generation: 1, ...shown });
  const again = await ask('POST', '/v1/workers', body, { 'idempotency-key': 'k' });
  expect([again.json().phase, read]).toEqual(['ready', 1]);
  expect((await ask('POST', '/v1/workers?wait=ready', body)).json().phase).toBe('ready');
});

test('a turn of a program without turns is not waited for, and its prompt is not sent', async () => {
  let spec: object = { agent_type: 'CUSTOM', command_line: ['cat'] };
  const inputs: unknown[] = [];
  const { ask } = await openTestApi({
    workers: {
      get: async () => VIEW,
      spec: async () => spec,
      before: async () => '0',
      sendInput: async (_, input) => {
        inputs.push(input);
        return { outcome: inputs.length > 1 ? 'differs' : 'sent', entry_id: '1-0' };
      },
      async *read() {
        yield [{ id: '2-0', data: JSON.stringify({ type: 'completed', request_id: 'k' }) }];
      },
      waitFor: () => new Promise(() => {}),
    },
  });
  const prompt = () =>
    ask('POST', `/v1/workers/${ID}/prompt?wait=turn`, { content: 'hi' }, { 'idempotency-key': 'k' });
  const refused = await prompt();
  expect([refused.statusCode, refused.json().error]).toMatchObject([
    422,
    { code: 'unsupported', issues: [{ path: 'wait' }] },
  ]);
  expect(inputs).toEqual([]);
  spec = { ...spec, exit_after_prompt: true };
  expect((await prompt()).json()).toMatchObject({ type: 'completed' });
  const other = await prompt();
  expect([other.statusCode, other.json().error.code]).toEqual([409, 'conflict']);
});

test('filters of the list: values are alternatives, labels and different filters must all match', async () => {
  const { ask, kept } = await open();
  const queries: [string, boolean][] = [
    ['status=RUNNING', true],
    ['status=FAILED&status=RUNNING', true],
    ['status=FAILED', false],
    ['label=team', true],
    ['label=team=blue&name=one', true],
    ['label=team=red', false],
    ['label=team&label=other', false],
    ['label=constructor', false],
    ['pool=jobs', false],
  ];
  for (const [query] of queries) expect((await ask('GET', `/v1/workers?${query}`)).statusCode).toBe(200);
  expect(kept).toEqual(queries.map(([, matches]) => matches));
  expect((await ask('GET', '/v1/workers')).json()).toEqual({ items: [VIEW], next_cursor: null });
  expect(kept).toHaveLength(queries.length);
  for (const wrong of ['status=running', 'limit=0', 'limit=many', 'colour=red'])
    expect([wrong, (await ask('GET', `/v1/workers?${wrong}`)).statusCode]).toEqual([wrong, 400]);
});

test('a cursor is good for its own list only', async () => {
  const { ask } = await open();
  const cursor = (await ask('GET', '/v1/workers?limit=1&status=RUNNING')).json().next_cursor as string;
  expect((await ask('GET', `/v1/workers?limit=9&status=RUNNING&cursor=${cursor}`)).statusCode).toBe(200);
  for (const query of [
    `cursor=${cursor}`,
    `status=FAILED&cursor=${cursor}`,
    'cursor=bm9uc2Vuc2U',
    'cursor=%00',
  ]) {
    const refused = await ask('GET', `/v1/workers?${query}`);
    expect([query, refused.statusCode, refused.json().error.issues[0].path]).toEqual([query, 400, 'cursor']);
  }
});

test('a prompt is refused if it would never be read', async () => {
  const { ask, inputs } = await open();
  const accepted = await ask(
    'POST',
    `/v1/workers/${ID}/prompt`,
    { content: 'hi' },
    { 'idempotency-key': 'k' },
  );
  expect([accepted.statusCode, accepted.json()]).toEqual([202, { request_id: 'k', worker_id: ID }]);
  expect(inputs).toEqual([{ message: { type: 'prompt', content: 'hi', request_id: 'k' }, key: 'k' }]);
  const ended = await open({ ...VIEW, status: 'FAILED' });
  expect((await ended.ask('POST', `/v1/workers/${ID}/prompt`, { content: 'hi' })).statusCode).toBe(409);
  const tasks = await open({ ...VIEW, agent_type: 'TASK' });
  expect((await tasks.ask('POST', `/v1/workers/${ID}/prompt`, { content: 'hi' })).statusCode).toBe(422);
  const invalid = await ask('POST', '/v1/workers/not%20a%20name/prompt', { content: 'hi' });
  expect([invalid.statusCode, invalid.json().error.issues[0].path]).toEqual([400, 'worker_id']);
});

test('a worker can be named instead of its ID', async () => {
  const { ask, inputs } = await open();
  expect((await ask('GET', '/v1/workers/fix')).json()).toMatchObject({ worker_id: ID });
  expect((await ask('POST', '/v1/workers/fix/prompt', { content: 'hi' })).statusCode).toBe(202);
  expect(inputs).toHaveLength(1);
  const missing = await ask('GET', '/v1/workers/gone');
  expect([missing.statusCode, missing.json().error.message]).toEqual([404, 'No worker has the name gone.']);
});

test('a stream begins where it is asked to', async () => {
  const { ask } = await open();
  const order = await ask('GET', '/v1/workers/fix/output?tail=0');
  expect(order.headers['content-type']).toContain('application/vnd.worker-manager.stream+json');
  expect(order.json()).toEqual({ stream: { worker_id: ID, of: 'output' }, from: '0', follow: true });
  const from = async (query: string, headers = {}) => {
    const answer = await ask('GET', `/v1/events?follow=false${query}`, undefined, headers);
    return answer.statusCode === 200 ? answer.json().from : answer.statusCode;
  };
  expect(await from('')).toBe('0');
  expect(await from('&since=7-3')).toBe('7-3');
  expect(await from('&since=10m')).toBe('1767224999999-18446744073709551615');
  expect(await from('&since=2026-01-01T00:00:00Z')).toBe('1767225599999-18446744073709551615');
  expect(await from('&since=7-3', { 'last-event-id': '9-1' })).toBe('9-1');
  expect(await from('', { 'last-event-id': 'nonsense' })).toBe(400);
  // More than 64 bits, which Redis would refuse when the response has begun.
  expect(await from('', { 'last-event-id': '9-18446744073709551616' })).toBe(400);
  expect(await from('&since=9-99999999999999999999')).toBe(400);
  expect(await from('&since=9-18446744073709551615')).toBe('9-18446744073709551615');
  expect(await from('&since=yesterday')).toBe(400);
  expect(await from('&since=10m&tail=3')).toBe(400);
});
