/** Waits last anyway, so they survive a manager that is away for longer than the retries of a request. */
import { expect, test } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { sendJson, startScriptedServer } from './server.ts';

const ID = '00000000-0000-4000-8000-000000000001';
const VIEW = { worker_id: ID, name: null, status: 'RUNNING', agent_type: 'CUSTOM' };
const AWAY = 4;

/** Answers the first request, then breaks connections as a manager that is away, and then answers again. */
async function startLeavingServer(first: object, then: object) {
  const server = await startScriptedServer((response, at) => {
    if (at === 0) sendJson(response, 200, first);
    else if (at <= AWAY) response.destroy();
    else sendJson(response, 200, then);
  });
  return { server, client: connect({ url: server.url, retries: 0 }) };
}

test('the result of a task', async () => {
  const task = { task_id: 't', pool: 'p', status: 'running' };
  const { client, server } = await startLeavingServer(task, { ...task, status: 'completed', result: 7 });
  expect(await (await client.tasks.get('t')).result()).toBe(7);
  expect(server.requests).toHaveLength(AWAY + 2);
});

test('the state of a worker', async () => {
  const { client } = await startLeavingServer({ ...VIEW, status: 'STARTING' }, VIEW);
  const worker = await client.workers.get(ID);
  expect((await worker.wait('ready')).status).toBe('RUNNING');
});

test('it ends with its time, and with its signal', async () => {
  const server = await startScriptedServer((response, at) =>
    at === 0 ? sendJson(response, 200, VIEW) : void response.destroy(),
  );
  const worker = await connect({ url: server.url, retries: 0 }).workers.get(ID);
  await expect(worker.wait('ended', { timeoutSeconds: 0.3 })).rejects.toMatchObject({ code: 'unavailable' });
  const reason = new Error('enough');
  const stop = new AbortController();
  const waiting = worker.wait('ended', { signal: stop.signal });
  await expect.poll(() => server.requests.length).toBeGreaterThan(3);
  stop.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});
