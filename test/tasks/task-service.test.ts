/** Where a submitted task goes. */
import { expect, test } from 'vitest';
import { Fault, poolSpec, type Task, type TaskView } from '../../src/model/index.ts';
import type { BulkResult } from '../../src/tasks/bulk.ts';
import type { QueueSettings, TaskQueue, Tasks } from '../../src/tasks/index.ts';
import { splitLines, TASK_LINE_BYTES } from '../../src/tasks/task-lines.ts';
import {
  createTaskService,
  type TaskService,
  type TaskServiceOptions,
} from '../../src/tasks/task-service.ts';

const POOLS = {
  work: poolSpec.parse({
    name: 'work',
    count: 1,
    handlers: ['a.py'],
    tasks: { timeout_seconds: 30, max_retries: 2, queue_size: 5 },
  }),
  agents: poolSpec.parse({ name: 'agents', count: 1, template: { agent_type: 'CLAUDE' } }),
};

/** `used`: pools that have had a task. `holder`: the pool that has the task `t`. */
function open(more: Partial<TaskServiceOptions> & { used?: string[]; holder?: string } = {}) {
  const retried: object[] = [];
  const submitted: { pool: string; task: Task; settings: QueueSettings | undefined }[] = [];
  const queue = (pool: string, settings?: QueueSettings) =>
    ({
      submit: async (task: Task) => {
        submitted.push({ pool, task, settings });
        return { task_id: 't', status: 'queued', position: 1 };
      },
      get: async () => undefined,
      async retry(task: string, key?: string) {
        retried.push({ pool, settings, task, key });
        return { task_id: task, status: 'queued' } as TaskView;
      },
    }) as unknown as TaskQueue;
  const tasks = {
    queue,
    find: async () => undefined,
    pools: async () => more.used ?? [],
    poolOf: async () => more.holder,
  } as unknown as Tasks;
  const desk = createTaskService({
    tasks,
    getPool: async (name) => POOLS[name as keyof typeof POOLS],
    poolNames: async () => Object.keys(POOLS),
    nodePools: async () => ['by-hand'],
    defaultServed: async () => false,
    ...more,
  });
  return { desk, submitted, retried };
}
const CALL = { payload: { function: 'add', args: [1] } };

test('the pool’s own rules apply to fields that the task omits', async () => {
  const { desk, submitted } = open();
  expect(await desk.submit({ ...CALL, pool: 'work', max_retries: 0 })).toMatchObject({
    pool: 'work',
    task_id: 't',
  });
  expect(submitted).toMatchObject([
    {
      pool: 'work',
      settings: { queueSize: 5 },
      task: { timeout_seconds: 30, max_retries: 0, priority: 'normal' },
    },
  ]);
});

test('without a pool, the only one is meant, or else the default one, if a worker serves it', async () => {
  const only = open({ poolNames: async () => ['work'] });
  expect((await only.desk.submit(CALL)).pool).toBe('work');
  const served = { defaultServed: async () => true };
  expect(await open({ ...served, poolNames: async () => [] }).desk.submit(CALL)).toMatchObject({
    pool: 'default',
  });
  expect((await open(served).desk.submit(CALL)).pool).toBe('default');
  expect((await open({ nodePools: async () => ['default'] }).desk.submit(CALL)).pool).toBe('default');
});

test('a task for the default pool that nothing serves was queued forever; it is refused with the existing pools', async () => {
  for (const given of [CALL, { ...CALL, pool: 'default' }]) {
    const { desk, submitted } = open();
    await expect(desk.submit(given)).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('the pools are: agents, by-hand, work'),
    });
    expect(submitted).toEqual([]);
  }
  const empty = open({ poolNames: async () => [], nodePools: async () => [] });
  await expect(empty.desk.submit(CALL)).rejects.toMatchObject({
    message: 'The pool default does not exist; there are no pools. Declare it with `wm apply`.',
  });
});

test('a pool without workers is refused, and one of a node by hand, or that was used, is not', async () => {
  await expect(open().desk.submit({ ...CALL, pool: 'wrok' })).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('the pools are: agents, by-hand, work'),
  });
  expect((await open().desk.submit({ ...CALL, pool: 'by-hand' })).pool).toBe('by-hand');
  // Its workers may come back; until then the answer says that the task waits.
  expect(await open({ used: ['older'] }).desk.submit({ ...CALL, pool: 'older' })).toMatchObject({
    pool: 'older',
    warning: expect.stringContaining('No worker serves the pool older'),
  });
});

test.each<[string, object]>([
  ['work', { prompt: 'hello' }],
  ['agents', { function: 'add' }],
  ['agents', { command: ['ls'] }],
])('the pool %s is not given %j', async (pool, payload) => {
  await expect(open().desk.submit({ pool, payload })).rejects.toMatchObject({
    code: 'invalid_command',
    issues: [{ path: 'payload' }],
  });
});

// Any client that could submit a task could run any program.
test('a command is refused unless its pool allows commands', async () => {
  const ls = { payload: { command: ['ls'] } };
  for (const pool of ['work', 'by-hand', 'default']) {
    const { desk, submitted } = open({ defaultServed: async () => true });
    await expect(desk.submit({ ...ls, pool })).rejects.toMatchObject({
      code: 'invalid_command',
      message: `The task was refused: payload is a command, but the pool ${pool} only runs functions: set commands: true there to allow commands.`,
    });
    expect(submitted).toEqual([]);
  }
  const allowing = open({ getPool: async (name) => poolSpec.parse({ name, count: 1, commands: true }) });
  expect(await allowing.desk.submit({ ...ls, pool: 'work' })).toMatchObject({ pool: 'work' });
});

test.each([
  undefined,
  null,
  5,
  'task',
  [],
  { pool: 5, ...CALL },
  { pool: 'work' },
  { pool: 'work', payload: null },
])('an invalid task is refused: %j', async (given) => {
  await expect(open().desk.submit(given)).rejects.toMatchObject({ code: 'invalid_command' });
});

test('an invalid ID is an unknown task', async () => {
  const { desk } = open();
  for (const id of ['', '../x', 'a b', 'x'.repeat(200), 'unknown'])
    await expect(desk.get(id)).rejects.toMatchObject({ code: 'not_found' });
});

async function* lines(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function bulk(desk: TaskService, ...texts: string[]): Promise<BulkResult[]> {
  const results: BulkResult[] = [];
  for await (const result of desk.submitLines(splitLines(lines(...texts)))) results.push(result);
  return results;
}

test('each line of a bulk submission is accepted or refused alone, with its line and the path of the field', async () => {
  const { desk, submitted } = open();
  const results = await bulk(
    desk,
    `${JSON.stringify({ ...CALL, pool: 'work' })}\r\n\n`,
    '{"pool": "work", "payload": {"function": "a b"}}\nnot json\n7\n',
    `{"pool": "wrok", "payload": {"function": "a"}}\n{"pool": "work", "payload": {"func`,
    'tion": "last"}}',
  );
  expect(results).toMatchObject([
    { line: 1, task_id: 't', status: 'queued', pool: 'work' },
    { line: 3, error: { code: 'invalid_command', issues: [{ path: 'payload.function' }] } },
    { line: 4, error: { code: 'invalid_command', message: 'The task was refused: its line is not JSON.' } },
    { line: 5, error: { code: 'invalid_command', issues: [{ path: 'payload' }] } },
    { line: 6, error: { code: 'not_found', message: expect.stringContaining('the pools are: agents') } },
    { line: 7, task_id: 't', pool: 'work' },
  ]);
  const given = submitted.map(({ task }) => ('function' in task.payload ? task.payload.function : ''));
  expect(given).toEqual(['add', 'last']);
});

test('a pool is looked up once for many lines, and a limit on a line is one of that line only', async () => {
  let looked = 0;
  const { desk, submitted } = open({
    getPool: async (name) => {
      looked += 1;
      return POOLS[name as keyof typeof POOLS];
    },
  });
  const line = `${JSON.stringify({ ...CALL, pool: 'work' })}\n`;
  const long = `{"pool": "work", "payload": {"prompt": "${'x'.repeat(TASK_LINE_BYTES)}"}}\n`;
  const results = await bulk(desk, line.repeat(500), long, '[', '['.repeat(300), `\n"\ud800"\n`, line);
  expect(results).toHaveLength(504);
  expect(results.slice(500)).toMatchObject([
    { line: 501, error: { message: expect.stringContaining('more than 1048576 bytes') } },
    { line: 502, error: { message: expect.stringContaining('nested too deeply') } },
    { line: 503, error: { code: 'invalid_command' } },
    { line: 504, task_id: 't' },
  ]);
  expect([submitted.length, looked]).toEqual([501, 1]);
});

test('after Redis has failed once, the other lines are not tried', async () => {
  let tried = 0;
  const { desk } = open({
    getPool: async () => {
      tried += 1;
      throw new Fault('unavailable', 'Redis is away.');
    },
  });
  const results = await bulk(desk, `${JSON.stringify({ ...CALL, pool: 'work' })}\n`.repeat(20));
  expect(results.map((result) => 'error' in result && result.error.code)).toEqual(
    Array(20).fill('unavailable'),
  );
  expect(results[1]).toMatchObject({ error: { message: expect.stringContaining('because line 1 failed') } });
  expect(tried).toBe(1);
});

test('a retry follows the rules of a submission', async () => {
  const { desk, retried } = open({ holder: 'work' });
  await desk.retry('t', { key: 'k' });
  expect(retried).toEqual([{ pool: 'work', settings: { queueSize: 5 }, task: 't', key: 'k' }]);
  await expect(open({ holder: 'gone' }).desk.retry('t')).rejects.toMatchObject({ code: 'not_found' });
  await expect(desk.retry('../x')).rejects.toMatchObject({ code: 'not_found' });
});
