/** Workers over HTTP, at a real leader and a real standby. */
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import type { WorkerView } from '../../src/model/index.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { type ReceivedEvent, readEvents } from './events.ts';

const PATIENCE = { timeout: 30_000, interval: 50 };
/** Answers each line as a JSON agent does: a turn per prompt. */
const ECHO = ['sh', '-c', 'while read line; do echo "$line"; done'];

interface Reply {
  status: number;
  headers: Headers;
  body: WorkerView & {
    error: { code: string; message: string; issues?: { path: string }[] };
    [field: string]: unknown;
  };
}

async function ask(
  { url, headers }: Manager,
  method: string,
  path: string,
  body?: unknown,
  more: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(url + path, {
    method,
    headers: { ...headers, ...more },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Reply['body'],
  };
}

/** A leader and a standby of one cell, with one token. */
async function startCell(count = 2): Promise<Manager[]> {
  const cell = { redisUrl: inject('redisUrl'), cell: newCell(), env: { API_TOKEN: 'token-of-the-test' } };
  const first = await startManager(cell);
  const leads = async () => expect(await (await fetch(`${first.url}/readyz`)).text()).toContain('leader');
  await vi.waitFor(leads, PATIENCE);
  const others = await Promise.all(
    Array.from({ length: count - 1 }, () => startManager({ ...cell, home: first.home })),
  );
  onTestFinished(async () => {
    for (const manager of [first, ...others]) await manager.stop();
    await cleanCell({ ...cell, home: first.home });
  });
  return [first, ...others];
}

async function collect(
  events: AsyncIterable<ReceivedEvent>,
  enough: (event: ReceivedEvent) => boolean,
): Promise<ReceivedEvent[]> {
  const found: ReceivedEvent[] = [];
  for await (const event of events) {
    found.push(event);
    if (enough(event)) break;
  }
  return found;
}

test('a worker lives over HTTP at a standby, and its streams continue at another manager', async () => {
  const [leader, standby] = (await startCell()) as [Manager, Manager];
  const spec = { agent_type: 'CUSTOM', command_line: ECHO, name: 'echo', labels: { team: 'blue' } };
  const key = { 'idempotency-key': 'once' };
  const created = await ask(standby, 'POST', '/v1/workers?wait=ready&timeout_seconds=40', spec, key);
  expect([created.status, created.body.phase, created.headers.get('etag')]).toEqual([201, 'ready', '"1"']);
  const { worker_id } = created.body;
  const path = `/v1/workers/${worker_id}`;
  expect(created.headers.get('location')).toBe(path);
  expect((await ask(leader, 'POST', '/v1/workers', spec, key)).body.worker_id).toBe(worker_id);
  expect((await ask(leader, 'POST', '/v1/workers', spec)).body.error.code).toBe('conflict');
  const other = await ask(leader, 'POST', '/v1/workers', { ...spec, name: 'other' }, key);
  expect([other.status, other.body.error.message]).toEqual([409, expect.stringContaining('use a new key')]);
  expect((await ask(leader, 'DELETE', path, undefined, key)).status).toBe(409);
  expect((await ask(standby, 'GET', '/v1/workers?label=team=blue&status=RUNNING')).body.items).toMatchObject([
    { worker_id },
  ]);
  expect((await ask(standby, 'GET', '/v1/workers/echo')).body).toMatchObject({ worker_id });
  expect((await ask(standby, 'GET', `${path}/spec`)).body).toMatchObject(spec);
  expect((await ask(standby, 'GET', `${path}/explain`)).body).toMatchObject({
    worker_id,
    leader: { owner: expect.any(String) },
    decision: { intents: [] },
  });

  const imageless = await ask(standby, 'GET', '/v1/workers/echo/dockerfile');
  expect([imageless.status, imageless.body.error.code]).toEqual([422, 'unsupported']);

  const prompt = { content: 'first' };
  for (const _ of [1, 2]) {
    const { status, body } = await ask(standby, 'POST', `${path}/prompt`, prompt, {
      'idempotency-key': 'p1',
    });
    expect([status, body.request_id]).toEqual([202, 'p1']);
  }
  const reused = await ask(standby, 'POST', `${path}/prompt`, { content: 'x' }, { 'idempotency-key': 'p1' });
  expect([reused.status, reused.body.error.code]).toEqual([409, 'conflict']);
  const turnless = await ask(standby, 'POST', `${path}/prompt?wait=turn`, prompt);
  expect([turnless.status, turnless.body.error.code]).toEqual([422, 'unsupported']);
  const isLine = (line: string) => (event: ReceivedEvent) => event.data.content === line;
  const first = await collect(readEvents(`${standby.url}${path}/output`, standby.headers), isLine('first'));
  expect(first.map(({ event }) => event)).toEqual(['ready', 'turn_started', 'stdout']);

  // The manager that streams is killed; the reader continues at the other one, after the last event that it has.
  const last = first.at(-1)?.id ?? '';
  await ask(standby, 'POST', `${path}/prompt`, { content: 'second' });
  leader.kill('SIGKILL');
  await leader.exited;
  await ask(standby, 'POST', `${path}/prompt`, { content: 'third' });
  const rest = await collect(
    readEvents(`${standby.url}${path}/output?tail=0`, { ...standby.headers, 'last-event-id': last }),
    isLine('third'),
  );
  const lines = rest.filter(({ event }) => event === 'stdout').map(({ data }) => data.content);
  expect(lines).toEqual(['second', 'third']);
  expect(rest.map(({ data }) => data.seq)).toEqual(
    rest.map((_, at) => Number(first.at(-1)?.data.seq) + at + 1),
  );

  const stale = await ask(standby, 'POST', `${path}/stop`, undefined, { 'if-match': '"7"' });
  expect([stale.status, stale.body.error.code]).toEqual([412, 'conflict']);
  const seen = { ...standby.headers, 'last-event-id': rest.at(-1)?.id ?? '' };
  const output = collect(readEvents(`${standby.url}${path}/output`, seen), () => false);
  const stopped = await ask(standby, 'POST', `${path}/stop?wait=ended&timeout_seconds=40`, undefined, {
    'if-match': '"1"',
  });
  expect([stopped.status, stopped.body.status]).toEqual([200, 'STOPPED']);
  expect((await output).map(({ event }) => event)).toEqual(['exited', 'end']);
  expect((await ask(standby, 'GET', `${path}?wait=ready`)).status).toBe(409);
  expect((await ask(standby, 'POST', `${path}/prompt`, prompt)).status).toBe(409);
  // The key is remembered by Redis, for every manager that comes later.
  expect((await ask(standby, 'POST', '/v1/workers', { ...spec, name: 'other' }, key)).status).toBe(409);
  const started = await ask(standby, 'POST', `${path}/start?wait=ready&timeout_seconds=40`);
  expect([started.status, started.body.incarnation]).toEqual([200, 2]);
  // Two that read the same generation: one of them is too late, whatever the order.
  const tag = { 'if-match': started.headers.get('etag') ?? '' };
  const restart = () => ask(standby, 'POST', `${path}/restart?wait=ready&timeout_seconds=40`, undefined, tag);
  const [won, lost] = (await Promise.all([restart(), restart()])).sort((a, b) => a.status - b.status);
  expect([won?.status, won?.body.incarnation]).toEqual([200, 3]);
  expect([lost?.status, lost?.body.error.code]).toEqual([412, 'conflict']);
  expect((await ask(standby, 'GET', `${path}?wait=ended&timeout_seconds=0.1`)).status).toBe(504);

  const history = collect(readEvents(`${standby.url}${path}/events`, standby.headers), () => false);
  expect((await ask(standby, 'DELETE', `${path}?wait=deleted&timeout_seconds=40`)).status).toBe(200);
  expect((await history).at(-1)).toMatchObject({ event: 'end', data: { deleted: true } });
  expect((await ask(standby, 'DELETE', path)).status).toBe(200);
  expect((await ask(standby, 'GET', path)).status).toBe(404);
  const all = await collect(
    readEvents(`${standby.url}/v1/events?since=10m`, standby.headers),
    ({ data }) => data.phase === 'deleted',
  );
  expect(all.every(({ data }) => data.worker_id === worker_id)).toBe(true);
});

test('a turn is waited for', async () => {
  const [manager] = (await startCell(1)) as [Manager];
  const agent = `process.stdin.on('data', () => console.log(JSON.stringify({type: 'turn_completed', content: 'done'})))`;
  const spec = { agent_type: 'CUSTOM', protocol: 'json', command_line: [process.execPath, '-e', agent] };
  const { body } = await ask(manager, 'POST', '/v1/workers?wait=ready&timeout_seconds=40', spec);
  const turn = await ask(manager, 'POST', `/v1/workers/${body.worker_id}/prompt?wait=turn`, {
    content: 'go',
  });
  expect([turn.status, turn.body]).toEqual([200, expect.objectContaining({ type: 'turn_completed' })]);
  expect((await ask(manager, 'DELETE', `/v1/workers/${body.worker_id}?wait=deleted`)).status).toBe(200);
});
