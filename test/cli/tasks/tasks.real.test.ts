/** `wm tasks` needs no manager: it reads and writes the queues themselves. */
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openConsumer } from '../../../src/tasks/index.ts';
import { newCell } from '../../support/manager.ts';
import { wmOf } from '../wm.ts';

const redisUrl = inject('redisUrl');

/** A cell whose pool `default` was served once and is not any more: its tasks wait, with a warning. */
async function lonely() {
  const cell = newCell();
  const redis = new Redis(redisUrl);
  await redis.sadd(`${cell}:task:pools`, 'default');
  onTestFinished(async () => {
    const keys = await redis.keys(`${cell}:*`);
    if (keys.length > 0) await redis.del(keys);
    redis.disconnect();
  });
  return { cell, redis, ...wmOf({ redisUrl, cell }) };
}

/** A worker that takes tasks of `default`. */
async function serveDefault(cell: string): Promise<void> {
  const consumer = openConsumer({
    redisUrl,
    cell,
    pool: 'default',
    workerId: 'w',
    incarnation: 1,
    concurrency: 1,
    run: async ({ payload }) => {
      if ('function' in payload && payload.function === 'refuse') throw new Error('not this one');
      return { payload };
    },
  });
  await consumer.start();
  onTestFinished(() => consumer.close());
}

test('Ctrl-C ends the wait, and says that the task continues', async () => {
  const { wm, start } = await lonely();
  const running = start(['tasks', 'submit', '--id', 'slow', '--function', 'add', '--wait']);
  await expect.poll(running.err, { timeout: 10_000 }).toContain('No worker serves');
  running.child.kill('SIGINT');
  const { code, err } = await running.done;
  expect([code, err]).toEqual([
    130,
    expect.stringContaining('task slow continues; `wm tasks cancel slow` cancels it'),
  ]);
  expect((await wm('tasks', 'ls')).out).toMatch(/^slow +default +queued/m);
});

test('a task is submitted, listed, shown and cancelled', async () => {
  const { wm } = await lonely();
  const given = await wm(
    'tasks',
    'submit',
    '--function',
    'add',
    '--args',
    '[1, 2]',
    '--priority',
    'high',
    '--id',
    't-1',
  );
  expect(given).toMatchObject({ code: 0, out: 't-1\n', err: expect.stringContaining('No worker serves') });
  const repeat = (name: string, args = '[1, 2]') =>
    wm('tasks', 'submit', '--id', 't-1', '-o', 'json', '--function', name, '--args', args);
  expect(await repeat('sub')).toMatchObject({ code: 1, err: expect.stringContaining('another payload') });
  const again = JSON.parse((await repeat('add')).out);
  expect(again).toMatchObject({ task_id: 't-1', status: 'queued', position: 1, pool: 'default' });
  expect((await wm('tasks', 'ls')).out).toMatch(/^t-1 +default +queued +high +0 /m);
  expect(JSON.parse((await wm('tasks', 'ls', '--status', 'running', '-o', 'json')).out)).toEqual([]);
  expect((await wm('tasks', 'cancel', 't-', '--reason', 'not needed')).out).toContain('failed (cancelled)');
  const task = JSON.parse((await wm('tasks', 'get', 't', '-o', 'json')).out);
  expect(task).toMatchObject({
    status: 'failed',
    cancelled: true,
    error: { type: 'Cancelled', message: 'not needed' },
  });
  await wm('tasks', 'submit', '--id', 't-2', '--function', 'add');
  const ambiguous = await wm('tasks', 'get', 't-');
  expect(ambiguous).toMatchObject({ code: 1, out: '', err: expect.stringContaining('More than one task') });
  expect(ambiguous.err).toMatch(/t-1.*t-2|t-2.*t-1/s);
});

const line = (task_id: string, name: string) =>
  `${JSON.stringify({ task_id, payload: { function: name } })}\n`;

test('a file of JSON lines is submitted line by line, again without a change, and waited for', async () => {
  const { wm, start, cell } = await lonely();
  const jobs = `${line('j-1', 'add')}\n${line('j-2', 'a b')}not json\n${line('j-3', 'refuse')}`;
  const first = await start(['tasks', 'submit', '-f', '-', '--priority', 'low'], jobs).done;
  expect(first).toMatchObject({ code: 1, out: 'j-1\nj-3\n' });
  expect(first.err).toMatch(
    /^note: No worker serves.*\nstdin:3: The task was refused: payload.function must be the name of a function.\nstdin:4: .*not JSON.\n2 of 4 tasks were refused/,
  );
  await serveDefault(cell);
  const waited = await start(['tasks', 'submit', '-f', '-', '--wait', '-o', 'json'], jobs).done;
  expect(waited.code).toBe(1);
  const results = waited.out
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text));
  expect(results).toMatchObject([
    { line: 3, error: { code: 'invalid_command', issues: [{ path: 'payload.function' }] } },
    { line: 4, error: { code: 'invalid_command' } },
    { task_id: 'j-1', status: 'completed', priority: 'low', attempts: 1 },
    { task_id: 'j-3', status: 'failed', error: { message: 'not this one' } },
  ]);
  const ended = await wm('tasks', 'wait', 'j-1', 'j-3');
  expect(ended).toMatchObject({ code: 1, out: 'j-1 completed\nj-3 failed\n' });
  expect(ended.err).toBe('j-3 failed: Error: not this one\n');
});

test('one task in an indented file is one task', async () => {
  const { start } = await lonely();
  const task = JSON.stringify({ task_id: 'one', payload: { function: 'add', args: [1] } }, null, 2);
  const run = await start(['tasks', 'submit', '--file', '-', '-o', 'json'], task).done;
  expect(run.code).toBe(0);
  expect(JSON.parse(run.out)).toMatchObject({ line: 1, task_id: 'one', status: 'queued', position: 1 });
});

test('a failed task is retried, waited for, and its output is shown', async () => {
  const { wm, start, cell, redis } = await lonely();
  await wm('tasks', 'submit', '--id', 't-1', '--function', 'add');
  expect(await wm('tasks', 'wait', 't-1', '--timeout', '0')).toMatchObject({
    code: 124,
    err: expect.stringContaining('The task t-1 is queued after 0 s and continues.'),
  });
  expect((await wm('tasks', 'logs', 't-1')).err).toBe(
    'The task t-1 has printed nothing: it is queued and was not started.\n',
  );
  await wm('tasks', 'cancel', 't-1');
  const again = await wm('tasks', 'retry', 't-1');
  expect(again).toMatchObject({ code: 0, out: 't-1 queued\n' });
  expect(await wm('tasks', 'retry', 't-1')).toMatchObject({
    code: 1,
    err: expect.stringContaining('only a failed or cancelled task can be retried'),
  });
  const follower = start(['tasks', 'logs', '-f', 't-1']);
  const say = (fields: object) => redis.xadd(`${cell}:worker:w:output`, '*', 'data', JSON.stringify(fields));
  await say({ type: 'stdout', content: 'of another task', task_id: 't-2' });
  await say({ type: 'stdout', content: 'hello', task_id: 't-1' });
  await serveDefault(cell);
  expect(await follower.done).toMatchObject({ code: 0, out: 'hello\n', err: '' });
  const json = JSON.parse((await wm('tasks', 'logs', 't-', '-o', 'json')).out);
  expect(json).toEqual({ worker_id: 'w', type: 'stdout', content: 'hello', task_id: 't-1' });
});

test('with --wait its result is printed, and a failure is one of the verb', async () => {
  const { wm, cell } = await lonely();
  await serveDefault(cell);
  const [well, ill] = await Promise.all([
    wm('tasks', 'submit', '--id', 'well', '--function', 'add', '--kwargs', '{"a": 1}', '--wait'),
    wm('tasks', 'submit', '--wait', '--function', 'refuse'),
  ]);
  expect(well.code).toBe(0);
  expect(JSON.parse(well.out)).toEqual({ payload: { function: 'add', kwargs: { a: 1 } } });
  expect(ill).toMatchObject({ code: 1, out: '', err: expect.stringContaining('not this one') });
  // It printed the task and exited with 0, as if it had been cancelled.
  expect(await wm('tasks', 'cancel', 'well')).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('The task well was not cancelled: it has already ended (completed).'),
  });
});

test('an error is reported, and nothing is submitted', async () => {
  const { wm } = await lonely();
  const submissions: [string[], number, string][] = [
    [[], 2, '--function'],
    [['--function', 'a b'], 2, 'payload'],
    [['--function', 'a', '--', 'ls'], 2, 'one of --function'],
    [['--function', 'a', '--args', '[1'], 2, 'The value is not JSON'],
    // Commands are not allowed in a pool that is not declared.
    [['--', 'ls', '-l'], 2, 'set commands: true'],
    [['--pool', 'nope', '--function', 'a'], 1, 'The pool nope does not exist'],
    // It was the short form of --function.
    [['-f', 'add'], 2, 'use --function add'],
    [['-f', '/'], 2, 'is a folder'],
    [['-f', '/dev/null'], 2, '/dev/null has no tasks'],
    [['-f', '/dev/null', '--id', 'one'], 2, 'task_id in each line'],
  ];
  const runs = submissions.map(([args]) => wm('tasks', 'submit', ...args));
  for (const [at, run] of (await Promise.all(runs)).entries()) {
    const [, code, words] = submissions[at] ?? [];
    expect(run).toMatchObject({ code, out: '', err: expect.stringContaining(words ?? '') });
  }
  const [unknown, listed] = await Promise.all([wm('tasks', 'get', 'nope'), wm('tasks', 'ls', '-o', 'json')]);
  expect([unknown.code, listed.out]).toEqual([1, '[]\n']);
});
