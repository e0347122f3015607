/** `wm tasks` needs no manager: it reads and writes the queues themselves. */
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openConsumer } from '../../src/tasks/index.ts';
import { newCell } from '../support/manager.ts';
import { wmOf } from './wm.ts';

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
  return { cell, ...wmOf({ redisUrl, cell }) };
}

test('a task is submitted, listed, shown and cancelled', async () => {
  const { wm } = await lonely();
  const given = await wm(
    'tasks',
    'submit',
    '-f',
    'add',
    '--args',
    '[1, 2]',
    '--priority',
    'high',
    '--id',
    't-1',
  );
  expect(given).toMatchObject({ code: 0, out: 't-1\n', err: expect.stringContaining('No worker serves') });
  const again = JSON.parse((await wm('tasks', 'submit', '--id', 't-1', '-o', 'json', '-f', 'sub')).out);
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
  await wm('tasks', 'submit', '--id', 't-2', '-f', 'add');
  const ambiguous = await wm('tasks', 'get', 't-');
  expect(ambiguous).toMatchObject({ code: 1, out: '', err: expect.stringContaining('More than one task') });
  expect(ambiguous.err).toMatch(/t-1.*t-2|t-2.*t-1/s);
});

test('with --wait its result is printed, and a failure is one of the verb', async () => {
  const { wm, cell } = await lonely();
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
  const [well, ill] = await Promise.all([
    wm('tasks', 'submit', '--id', 'well', '-f', 'add', '--kwargs', '{"a": 1}', '--wait'),
    wm('tasks', 'submit', '--wait', '-f', 'refuse'),
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
    [['-f', 'a b'], 2, 'payload'],
    [['-f', 'a', '--', 'ls'], 2, 'one of --function'],
    [['-f', 'a', '--args', '[1'], 2, 'The value is not JSON'],
    // Commands are not allowed in a pool that is not declared.
    [['--', 'ls', '-l'], 2, 'set commands: true'],
    [['--pool', 'nope', '-f', 'a'], 1, 'There is no pool nope'],
  ];
  const runs = submissions.map(([args]) => wm('tasks', 'submit', ...args));
  for (const [at, run] of (await Promise.all(runs)).entries()) {
    const [, code, words] = submissions[at] ?? [];
    expect(run).toMatchObject({ code, out: '', err: expect.stringContaining(words ?? '') });
  }
  const [unknown, listed] = await Promise.all([wm('tasks', 'get', 'nope'), wm('tasks', 'ls', '-o', 'json')]);
  expect([unknown.code, listed.out]).toEqual([1, '[]\n']);
});
