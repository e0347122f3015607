/** Where a submitted task goes. */
import { expect, test } from 'vitest';
import { poolSpec, type Task, type TaskView } from '../../src/model/index.ts';
import type { QueueSettings, TaskQueue, Tasks } from '../../src/tasks/index.ts';
import { createTaskService, type TaskServiceOptions } from '../../src/tasks/task-service.ts';

const POOLS = {
  work: poolSpec.parse({
    name: 'work',
    count: 1,
    handlers: ['a.py'],
    tasks: { timeout_seconds: 30, max_retries: 2, queue_size: 5 },
  }),
  agents: poolSpec.parse({ name: 'agents', count: 1, template: { agent_type: 'CLAUDE' } }),
};

function open(more: Partial<TaskServiceOptions> & { used?: string[] } = {}) {
  const submitted: { pool: string; task: Task; settings: QueueSettings | undefined }[] = [];
  const queue = (pool: string, settings?: QueueSettings) =>
    ({
      submit: async (task: Task) => {
        submitted.push({ pool, task, settings });
        return { task_id: 't', status: 'queued', position: 1 };
      },
      get: async () => undefined,
      list: async () => [{ task_id: pool, queued_at: pool } as TaskView],
    }) as unknown as TaskQueue;
  const tasks = {
    queue,
    find: async () => undefined,
    pools: async () => more.used ?? [],
  } as unknown as Tasks;
  const desk = createTaskService({
    tasks,
    getPool: async (name) => POOLS[name as keyof typeof POOLS],
    poolNames: async () => Object.keys(POOLS),
    nodePools: async () => ['by-hand'],
    defaultServed: async () => false,
    ...more,
  });
  return { desk, submitted };
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
      message: expect.stringContaining('there are agents, by-hand, work'),
    });
    expect(submitted).toEqual([]);
  }
  const empty = open({ poolNames: async () => [], nodePools: async () => [] });
  await expect(empty.desk.submit(CALL)).rejects.toMatchObject({
    message: 'There is no pool default; there are none. Declare it with `wm apply`.',
  });
});

test('a pool without workers is refused, and one of a node by hand, or that was used, is not', async () => {
  await expect(open().desk.submit({ ...CALL, pool: 'wrok' })).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('there are agents, by-hand, work'),
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

test('the newest tasks of all pools come first', async () => {
  const { desk } = open({ used: ['a', 'c', 'b'] });
  expect((await desk.list({ limit: 2 })).map(({ task_id }) => task_id)).toEqual(['c', 'b']);
});
