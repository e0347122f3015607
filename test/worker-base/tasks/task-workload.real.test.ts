/** Bodies that take tasks, as a runtime starts them: what they run, how they end, and what becomes of what they had. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import type { Heartbeat, TaskSubmission, TaskView } from '../../../src/model/index.ts';
import { openTasks, type TaskQueue, type Tasks } from '../../../src/tasks/index.ts';
import { readSubmission } from '../../../src/tasks/submission.ts';
import { type Body, isAlive, soon, TestWorker } from '../body.ts';

const POOL = 'work';
const PYTHON = `
from worker_manager import handler, progress
import os, time

@handler
def add(a, b):
    print("adding", a, b)
    return a + b

@handler
def nap(seconds):
    time.sleep(seconds)
    return os.getpid()

@handler
def until(path):
    while not os.path.exists(path) or os.path.getsize(path) == 0:
        time.sleep(0.01)
    return open(path).read()

@handler
def seen():
    return sorted(os.environ)
`;
const SCRIPT = `export const multiply = (a, b) => a * b;\n`;

let worker: TestWorker;
let tasks: Tasks;
let queue: TaskQueue;
beforeEach(() => {
  worker = new TestWorker(inject('redisUrl'));
  writeFileSync(join(worker.dir, 'work.py'), PYTHON);
  writeFileSync(join(worker.dir, 'work.mjs'), SCRIPT);
  tasks = openTasks({ redisUrl: inject('redisUrl'), cell: worker.cell });
  queue = tasks.queue(POOL);
});
afterEach(async () => {
  await worker.close();
  await queue.remove();
  await tasks.close();
});

const submit = (given: TaskSubmission) => queue.submit(readSubmission(given));
const call = (name: string, ...args: (string | number)[]) => submit({ payload: { function: name, args } });
const ended = async (id: string): Promise<TaskView> => {
  const done = async () => ['completed', 'failed'].includes((await queue.get(id))?.status ?? '');
  await expect.poll(done, soon).toBe(true);
  return (await queue.get(id)) as TaskView;
};
const running = (id: string) => expect.poll(async () => (await queue.get(id))?.status, soon).toBe('running');
/** As the worker has it: it learns of a task that it fetched after readers of the queue. */
const atWork = () => expect.poll(async () => (await heartbeat()).active_tasks, soon).toBe(1);
const heartbeat = async (): Promise<Heartbeat> =>
  JSON.parse((await worker.redis.get(worker.keys.heartbeat(worker.id))) ?? '{}');

async function start(
  options: { incarnation?: number; env?: Record<string, string>; spec?: object } = {},
): Promise<Body> {
  await worker.declare({
    agent_type: 'TASK',
    pool: POOL,
    handlers: ['work.py', 'work.mjs'],
    concurrency: 2,
    commands: true,
    ...options.spec,
  });
  const { incarnation = 1, env } = options;
  const body = await worker.start({
    redisUrl: inject('redisUrl'),
    incarnation,
    env: { HANDLERS_DIR: worker.dir, HEALTH_CHECK_INTERVAL: '0.2', WORKER_PORT: '0', ...env },
  });
  await worker.until((entry) => entry.type === 'ready' && entry.incarnation === incarnation);
  return body;
}

// Any client that reached a node ran any program there.
test('a worker without `commands` runs no command, neither from its own door nor from the queue', async () => {
  await start({ spec: { commands: false } });
  const { node_url } = await worker.untilType('ready');
  const command = { payload: { command: ['sh', '-c', 'exit 0'] } };
  const asked = await fetch(`${node_url}/task/submit`, { method: 'POST', body: JSON.stringify(command) });
  expect([asked.status, await asked.text()]).toEqual([400, expect.stringContaining('set commands: true')]);
  const { task_id } = await submit({ ...command, max_retries: 3 });
  expect(await ended(task_id)).toMatchObject({
    status: 'failed',
    attempts: 1,
    error: { type: 'CommandsNotAllowed', message: expect.stringContaining('TASK_COMMANDS=true') },
  });
});

test('functions of both languages and commands, their output tagged with their task', async () => {
  await start();
  const ready = await worker.untilType('ready');
  expect(ready).toMatchObject({ content: 'The worker is ready for tasks.', pool: POOL, slots: 2 });
  expect(ready.functions).toEqual(expect.arrayContaining(['add', 'multiply', 'nap']));
  const [sum, product, listed] = await Promise.all([
    call('add', 1, 2),
    call('multiply', 6, 7),
    submit({ payload: { command: ['sh', '-c', 'echo "$0"', 'hello'] } }),
  ]);
  expect(await ended(sum.task_id)).toMatchObject({ status: 'completed', result: 3, worker_id: worker.id });
  expect(await ended(product.task_id)).toMatchObject({ status: 'completed', result: 42 });
  expect(await ended(listed.task_id)).toMatchObject({ result: { exit_code: 0, stdout: 'hello\n' } });
  const line = await worker.until(({ type, content }) => type === 'stdout' && content === 'adding 1 2');
  expect(line.task_id).toBe(sum.task_id);
  // What the manager reports as task_duration_seconds.
  await expect.poll(() => queue.durations('durations'), soon).toMatchObject({ count: 3 });
  const measured = await queue.durations('durations');
  expect([measured.sum > 0, measured.buckets.at(-1)]).toEqual([true, 3]);
  // It said `busy` for ever once: it was counted before the queue had taken the end of the last task.
  await expect
    .poll(heartbeat, { timeout: 20_000, interval: 50 })
    .toMatchObject({ active_tasks: 0, busy: false });
  worker.expectGapless();
});

test('handlers know nothing of Redis', async () => {
  await start({ spec: { env: { COLOUR: 'blue' } } });
  const { result } = await ended((await call('seen')).task_id);
  expect(result).toContain('COLOUR');
  expect(result).toContain('WORKER_ID');
  expect(result).not.toContain('REDIS_URL');
});

// A function could not know how much its operator wants to see.
test('functions and commands get the LOG_LEVEL of their worker', async () => {
  await start({ env: { LOG_LEVEL: 'DEBUG' } });
  const { task_id } = await submit({ payload: { command: ['sh', '-c', 'echo $LOG_LEVEL'] } });
  expect(await ended(task_id)).toMatchObject({ result: { stdout: 'DEBUG\n' } });
});

test('after SIGTERM, it finishes what runs and takes nothing new', async () => {
  const body = await start({ spec: { concurrency: 1, stop_grace_seconds: 30 } });
  const file = join(worker.dir, 'go');
  const first = await call('until', file);
  await running(first.task_id);
  await atWork();
  const { job_started_at, busy, node_url } = await heartbeat();
  expect([busy, typeof job_started_at]).toEqual([true, 'string']);
  const second = await call('add', 1, 1);
  body.process.kill('SIGTERM');
  await expect.poll(async () => (await heartbeat()).phase, soon).toBe('ending');
  const refused = await fetch(`${node_url}/task/submit`, { method: 'POST', body: '{}' });
  expect(refused.status).toBe(503);
  expect(await (await fetch(`${node_url}/health`)).json()).toMatchObject({
    status: 'draining',
    active_tasks: 1,
  });
  writeFileSync(file, 'done');
  expect(await body.exit).toBe(0);
  expect(await queue.get(first.task_id)).toMatchObject({ status: 'completed', result: 'done', attempts: 1 });
  expect(await queue.get(second.task_id)).toMatchObject({ status: 'queued' });
});

test('when its grace is over, its handler is ended and another body continues the task', async () => {
  const body = await start({ spec: { concurrency: 1, stop_grace_seconds: 1 } });
  const file = join(worker.dir, 'go');
  const { task_id } = await call('until', file);
  await atWork();
  body.process.kill('SIGTERM');
  expect(await body.exit).toBe(0);
  expect((await worker.untilType('exited')).content).toContain('1 of its tasks were returned');
  expect(await queue.get(task_id)).toMatchObject({ status: 'queued' });
  writeFileSync(file, 'later');
  await start({ incarnation: 2 });
  expect(await ended(task_id)).toMatchObject({ status: 'completed', result: 'later' });
});

test('killed, its task is run by the next body, once it is known to be dead', async () => {
  const body = await start({ spec: { concurrency: 1 } });
  const file = join(worker.dir, 'go');
  const { task_id } = await call('until', file);
  await running(task_id);
  body.process.kill('SIGKILL');
  await body.exit;
  expect(await queue.release(worker.id, 1)).toBe(1);
  writeFileSync(file, 'later');
  await start({ incarnation: 2 });
  expect(await ended(task_id)).toMatchObject({ status: 'completed', attempts: 2 });
});

test('a task that takes longer than max_job_time_seconds is really ended, and the slot continues', async () => {
  await start({ spec: { concurrency: 1, max_job_time_seconds: 8 } });
  const marker = join(worker.dir, 'never');
  const { task_id } = await submit({ payload: { function: 'until', args: [marker] }, timeout_seconds: 600 });
  const { error } = await ended(task_id);
  expect(error).toMatchObject({ type: 'Timeout', message: expect.stringContaining('max_job_time_seconds') });
  expect(await ended((await call('add', 2, 2)).task_id)).toMatchObject({ result: 4 });
});

test('what is submitted at a worker is under the rules of its pool', async () => {
  const spec = { name: POOL, tasks: { queue_size: 1, max_retries: 1 } };
  await worker.redis.hset(worker.keys.pools.record(POOL), 'spec', JSON.stringify(spec));
  await start({ spec: { concurrency: 1 } });
  const { node_url } = await worker.untilType('ready');
  const post = (name: string, ...args: unknown[]) =>
    fetch(`${node_url}/task/submit`, {
      method: 'POST',
      body: JSON.stringify({ task_id: name, payload: { function: name, args } }),
    });
  const file = join(worker.dir, 'go');
  expect((await post('until', file)).status).toBe(200);
  await running('until');
  expect((await post('add', 1, 'x')).status).toBe(200);
  const full = await post('nap', 0);
  expect([full.status, Number(full.headers.get('retry-after')) > 0]).toEqual([429, true]);
  writeFileSync(file, 'go');
  expect(await ended('add')).toMatchObject({ status: 'failed', attempts: 2, error: { type: 'TypeError' } });
  await worker.redis.del(worker.keys.pools.record(POOL));
});

test('above its limits it takes no new tasks, and reports that', async () => {
  await start({ spec: { env: { MAX_MEMORY_PERCENT: '1' } } });
  await expect.poll(async () => (await heartbeat()).paused, soon).toBe(true);
  const { task_id } = await call('add', 1, 1);
  const { node_url } = await heartbeat();
  expect(await (await fetch(`${node_url}/health`)).json()).toMatchObject({ status: 'paused' });
  await expect.poll(async () => (await heartbeat()).queue_size, soon).toBe(1);
  expect(await queue.get(task_id)).toMatchObject({ status: 'queued' });
});

test.each([
  [
    'a handler file that cannot be loaded',
    { 'work.py': 'import nothing_of_that_name' },
    {},
    66,
    /nothing_of_that_name/,
  ],
  ['a wrong setting', {}, { QUEUE_SIZE: 'many' }, 78, /QUEUE_SIZE is "many"/],
])('%s ends it with a sentence', async (_, files, env, code, sentence) => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(worker.dir, name), text);
  await worker.declare({ agent_type: 'TASK', pool: POOL, handlers: ['work.py'] });
  const body = await worker.start({
    redisUrl: inject('redisUrl'),
    env: { HANDLERS_DIR: worker.dir, ...env },
  });
  expect(await body.exit).toBe(code);
  expect((await worker.untilType('exited')).content).toMatch(sentence);
});

test('none of its handlers’ processes remains', async () => {
  const body = await start();
  const { result } = await ended((await call('nap', 0)).task_id);
  expect(isAlive(Number(result))).toBe(true);
  body.process.kill('SIGTERM');
  expect(await body.exit).toBe(0);
  expect(isAlive(Number(result))).toBe(false);
});
