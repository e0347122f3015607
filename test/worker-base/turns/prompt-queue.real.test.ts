/** Agents of a pool: a task of its queue is a turn. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import type { TaskView } from '../../../src/model/index.ts';
import { openTasks, type TaskQueue, type Tasks } from '../../../src/tasks/index.ts';
import { readSubmission } from '../../../src/tasks/submission.ts';
import { soon, TestWorker } from '../body.ts';

const AGENT = [process.execPath, join(import.meta.dirname, '../agents/json-agent.ts')];
const POOL = 'agents';
let worker: TestWorker;
let tasks: Tasks;
let queue: TaskQueue;
beforeEach(() => {
  worker = new TestWorker(inject('redisUrl'));
  tasks = openTasks({ redisUrl: inject('redisUrl'), cell: worker.cell });
  queue = tasks.queue(POOL);
});
afterEach(async () => {
  await worker.close();
  await queue.remove();
  await tasks.close();
});

const ask = async (prompt: string) =>
  (await queue.submit(readSubmission({ payload: { prompt }, max_losses: 3 }))).task_id;
const ended = async (id: string): Promise<TaskView> => {
  const done = async () => ['completed', 'failed'].includes((await queue.get(id))?.status ?? '');
  await expect.poll(done, soon).toBe(true);
  return (await queue.get(id)) as TaskView;
};
async function start(incarnation = 1) {
  await worker.declare({ command_line: AGENT, protocol: 'json', pool: POOL, stop_grace_seconds: 20 });
  const env = { WORKER_INTERRUPT_MS: '300', WORKER_FINISH_MS: '300' };
  return worker.start({ redisUrl: inject('redisUrl'), incarnation, env });
}

test('a prompt of the queue is a turn of its own, reported as such, with its answer as the result', async () => {
  await start();
  const id = await ask('say hello');
  expect(await ended(id)).toMatchObject({
    status: 'completed',
    result: { result: 'hello', usage: { input_tokens: 3, output_tokens: 5 }, cost_usd: 0.25 },
    worker_id: worker.id,
  });
  // The queue gets the end as soon as the readers of the output, and no later.
  await worker.until(({ type, request_id }) => type === 'turn_completed' && request_id === id);
  const turn = worker.entries.filter(({ request_id }) => request_id === id).map(({ type }) => type);
  expect(turn).toEqual(['turn_started', 'message', 'turn_completed']);
});

test('one after the other, between prompts of the input', async () => {
  await start();
  const ids = await Promise.all(['say a', 'say b', 'say c'].map(ask));
  await worker.send({ type: 'prompt', content: 'say mine', request_id: 'mine' });
  for (const id of ids) expect(await ended(id)).toMatchObject({ status: 'completed' });
  // The queue may get an end before the readers of the output do.
  await expect.poll(() => worker.of('turn_completed').length, soon).toBe(4);
  const open = worker.entries.reduce(
    ({ now, most }, { type }) => {
      const next = now + (type === 'turn_started' ? 1 : type === 'turn_completed' ? -1 : 0);
      return { now: next, most: Math.max(most, next) };
    },
    { now: 0, most: 0 },
  );
  expect(open).toEqual({ now: 0, most: 1 });
});

test('a task that is cancelled interrupts its turn, and the agent continues', async () => {
  await start();
  const held = await ask('hold');
  await worker.until(({ type, request_id }) => type === 'turn_started' && request_id === held);
  await queue.cancel(held, 'not needed');
  expect(await ended(held)).toMatchObject({
    status: 'failed',
    cancelled: true,
    error: { type: 'Cancelled' },
  });
  expect(await ended(await ask('say on'))).toMatchObject({ result: { result: 'on' } });
});

test('function tasks are rejected, and not retried', async () => {
  await start();
  const { task_id } = await queue.submit(readSubmission({ payload: { function: 'add' }, max_retries: 3 }));
  expect(await ended(task_id)).toMatchObject({ attempts: 1, error: { type: 'Unsupported' } });
});

test('a body that is killed in the middle of a turn leaves its task to the next', async () => {
  const body = await start();
  const id = await ask('hold');
  await worker.until(({ type, request_id }) => type === 'turn_started' && request_id === id);
  body.process.kill('SIGKILL');
  await body.exit;
  await queue.release(worker.id, 1);
  await start(2);
  await worker.until(
    ({ type, request_id, incarnation }) => type === 'turn_started' && request_id === id && incarnation === 2,
  );
  await queue.cancel(id);
  expect(await ended(id)).toMatchObject({ attempts: 2 });
});
