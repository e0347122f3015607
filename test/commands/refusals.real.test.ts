import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { type Cell, openCell } from '../store/cell.ts';
import { answered, consume, createCommand, PATIENCE, pending } from './consumer.ts';

const target = (worker_id: unknown) => ({ command: 'delete', request_id: 'r', worker_id });

/** Its answer, and that of a sound command pushed right behind it: the loop continues. */
async function answerTo(cell: Cell, entry: unknown): Promise<Record<string, unknown>> {
  await consume(cell);
  await cell.push(entry);
  await cell.push({ command: 'list', request_id: 'the next one' });
  const both = await vi.waitFor(async () => {
    const answers = await cell.answers();
    expect(answers).toHaveLength(2);
    return answers;
  }, PATIENCE);
  expect(both[1]).toMatchObject({ request_id: 'the next one', success: true });
  return both[0] ?? {};
}

test.each<[string, object, string[]]>([
  ['an unknown command', { command: 'explode', request_id: 'r' }, ['command']],
  ['no command', { request_id: 'r' }, ['command']],
  ['an unknown field', createCommand({ colour: 'red' }), ['colour']],
  [
    'unknown fields within',
    createCommand({ resources: { disk: '1g', gpus: 1 } }),
    ['resources.disk', 'resources.gpus'],
  ],
  ['wrong types', createCommand({ name: 5, env: [], ttl_seconds: '9' }), ['name', 'env', 'ttl_seconds']],
  ['a wrong element', createCommand({ command_line: ['agent', 7] }), ['command_line.1']],
  ['no command line', { ...createCommand(), command_line: undefined }, ['command_line']],
  ['an agent of no known type', createCommand({ agent_type: 'HAL' }), ['agent_type']],
  ['an id that is not a UUID', target('../../etc'), ['worker_id']],
  ['an id in upper case', target(randomUUID().toUpperCase()), ['worker_id']],
  ['an id that is a glob', target('*'), ['worker_id']],
  ['an id that is the prototype', target('__proto__'), ['worker_id']],
  ['a variable without a name', createCommand({ env: { '=': 'x' } }), ['env.=']],
  ['NUL in an argument', createCommand({ command_line: ['a\0b'] }), ['command_line.0']],
  [
    'an answer to the commands',
    { command: 'list', request_id: 'r', reply_to: 'worker:commands' },
    ['reply_to'],
  ],
  ['an answer to a glob', { command: 'list', request_id: 'r', reply_to: 'worker:responses:*' }, ['reply_to']],
  ['a request without a name', { command: 'list' }, ['request_id']],
  ['a request with an endless name', { command: 'list', request_id: 'x'.repeat(129) }, ['request_id']],
  ['a request with an unprintable name', { command: 'list', request_id: 'a\nb' }, ['request_id']],
])('%s is refused by name, and the next command is handled', async (_, command, paths) => {
  const cell = openCell();
  const answer = await answerTo(cell, command);
  const { code, issues } = answer.error as { code: string; issues: { path: string }[] };
  expect([answer.success, code]).toEqual([false, 'invalid_command']);
  expect(issues.map(({ path }) => path).sort()).toEqual(paths.sort());
  const known = !paths.includes('request_id');
  expect(answer).toHaveProperty(known ? 'request_id' : 'entry_id');
  expect(JSON.stringify(answer).length).toBeLessThan(4000);
  expect(await cell.store.ids()).toEqual([]);
});

test.each([
  ['at the top', '{"command":"list","request_id":"r","__proto__":{"polluted":1}}', '__proto__'],
  [
    'within',
    '{"command":"create","request_id":"r","agent_type":"CUSTOM","command_line":["x"],"env":{"__proto__":"1"}}',
    'env.__proto__',
  ],
])('__proto__ %s is refused by name', async (_, text, path) => {
  const answer = await answerTo(openCell(), text);
  const { code, issues } = answer.error as { code: string; issues: { path: string }[] };
  expect([answer.request_id, code, ...new Set(issues.map((issue) => issue.path))]).toEqual([
    'r',
    'invalid_command',
    path,
  ]);
  expect({}).not.toHaveProperty('polluted');
});

test.each<[string, string]>([
  ['text', 'create a worker, please'],
  ['nothing', ''],
  ['half a command', '{"command":"create"'],
  ['an array', '[]'],
  ['null', 'null'],
  ['a number', '42'],
])('%s is put aside with the reason, and the next command is handled', async (_, text) => {
  const cell = openCell();
  const answer = await answerTo(cell, text);
  expect(answer).toMatchObject({
    success: false,
    entry_id: expect.any(String),
    error: { code: 'invalid_command' },
  });
  const dead = await cell.redis.xrange(cell.store.keys.dead, '-', '+');
  expect(dead.map(([, [field, data = '']]) => [field, JSON.parse(data)])).toEqual([
    ['data', { entry_id: answer.entry_id, error: answer.error, entry: text }],
  ]);
});

test('an entry without the field "data" is put aside', async () => {
  const cell = openCell();
  await consume(cell);
  await cell.redis.xadd(cell.store.keys.commands, '*', 'command', 'list');
  const said = 'has no field "data"';
  await vi.waitFor(async () => {
    expect(await cell.answers()).toMatchObject([{ error: { message: expect.stringContaining(said) } }]);
  }, PATIENCE);
});

test('a command that is nested too deep is refused without a crash', async () => {
  const depth = 100_000;
  const text = `{"command":"list","request_id":"r","env":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const answer = await answerTo(openCell(), text);
  expect(answer).toMatchObject({ request_id: 'r', error: { code: 'invalid_command' } });
});

test('the answer to a command does not grow with what is wrong in it', async () => {
  const fields = Object.fromEntries(
    Array.from({ length: 2000 }, (_, n) => [`field-${n}-${'x'.repeat(50)}`, 1]),
  );
  const answer = await answerTo(openCell(), createCommand({ ...fields, [`${'y'.repeat(100_000)}`]: 1 }));
  const { message, issues } = answer.error as { message: string; issues: unknown[] };
  expect(issues).toHaveLength(50);
  expect(message).toContain('more)');
  expect(JSON.stringify(answer).length).toBeLessThan(20_000);
});

test('where the command is unknown, its other fields are no less checked', async () => {
  const cell = openCell();
  const { keys } = cell.store;
  const victim = keys.input(randomUUID());
  const forged = { command: 'explode', request_id: 'x'.repeat(1000), reply_to: victim };
  const answer = await answerTo(cell, forged);
  expect(answer).toMatchObject({ entry_id: expect.any(String), error: { code: 'invalid_command' } });
  expect(answer).not.toHaveProperty('request_id');
  expect(await cell.redis.exists(victim)).toBe(0);
  const remembered = (await cell.redis.keys(`${cell.name}:worker:request:*`)).map((key) => key.length);
  expect(Math.max(...remembered)).toBeLessThan(200);
});

test('a command that can never be settled is put aside, and takes no other with it', async () => {
  const cell = openCell();
  const [poisoned, innocent] = [randomUUID(), randomUUID()];
  await cell.redis.set(cell.store.keys.desired(poisoned), 'not a record');
  const reply_to = `worker:responses:${randomUUID()}`;
  const first = await cell.push({
    ...createCommand({ worker_id: poisoned }),
    request_id: 'poison',
    reply_to,
  });
  await cell.push(createCommand({ worker_id: innocent }));
  await consume(cell);
  expect(await answered(cell, 1)).toMatchObject([{ success: true, worker_id: innocent }]);
  // The other create does not wait for it.
  await expect.poll(() => cell.redis.xlen(reply_to), PATIENCE).toBe(1);
  const [[, [, refused = ''] = []] = []] = await cell.redis.xrange(reply_to, '-', '+');
  const answer = JSON.parse(refused);
  expect(answer).toMatchObject({ request_id: 'poison', command: 'create', success: false });
  expect(answer.error.code).toBe('internal');
  const [[, [, dead = ''] = []] = []] = await cell.redis.xrange(cell.store.keys.dead, '-', '+');
  expect(JSON.parse(dead)).toMatchObject({ entry_id: first, error: answer.error });
  expect(JSON.parse(JSON.parse(dead).entry)).toMatchObject({ worker_id: poisoned });
  expect(await pending(cell)).toBe(0);
});
