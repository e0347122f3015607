import { expect, test } from 'vitest';
import { z } from 'zod';
import { inputMessage, poolSpec, taskSubmission, toIssues, workerSpec } from '../../src/model/index.ts';

const lines = (schema: z.ZodType, input: unknown) => {
  const { error } = schema.safeParse(input);
  return error ? toIssues(error).map(({ path, message }) => `${path} ${message}`.trim()) : [];
};

test.each<[string, z.ZodType, unknown, string[]]>([
  [
    'no payload field',
    taskSubmission,
    { payload: {} },
    ['payload must have one of function, command, prompt'],
  ],
  [
    'a typo',
    taskSubmission,
    { payload: { functio: 'f' } },
    ['payload must have one of function, command, prompt'],
  ],
  ['args alone', taskSubmission, { payload: { args: [1] } }, ['payload.function is required']],
  [
    'a wrong type',
    taskSubmission,
    { payload: { function: 5 } },
    ['payload.function must be a string, not a number'],
  ],
  [
    'two payloads',
    taskSubmission,
    { payload: { function: 'f', prompt: 'p' } },
    ['payload must have only one of prompt, function'],
  ],
  ['a text', taskSubmission, { payload: 'f' }, ['payload must be a map']],
  [
    'deep in a list',
    taskSubmission,
    { payload: { command: ['a', 5] } },
    ['payload.command.1 must be a string, not a number'],
  ],
  ['an empty list', taskSubmission, { payload: { command: [] } }, ['payload.command must not be empty']],
  ['an unknown type', inputMessage, { type: 'promt' }, ['type must be one of prompt, interrupt, shutdown']],
  ['no type', inputMessage, {}, ['type must be one of prompt, interrupt, shutdown']],
  ['a list for a text', poolSpec, { name: ['x'], handlers: ['h.py'] }, ['name must be a string, not a list']],
  [
    'a number for a mode',
    poolSpec,
    { name: 'x', handlers: ['h.py'], execution_mode: 5 },
    ['execution_mode must be one of docker, direct, auto, or a map'],
  ],
  [
    'one word wrong in a map',
    poolSpec,
    { name: 'x', handlers: ['h.py'], execution_mode: { docker: 'x', direct: 1 } },
    ['execution_mode.docker must be a number, not a string'],
  ],
  [
    'an unknown choice',
    workerSpec,
    { agent_type: 'CUSTOM', command_line: ['true'], runtime: 'process', restart_policy: 'x' },
    ['restart_policy must be one of never, on-failure, always'],
  ],
  ['not a number', z.object({ n: z.number() }), { n: Number.NaN }, ['n must be a number']],
  ['a part of a number', z.object({ n: z.int() }), { n: 1.5 }, ['n must be a whole number']],
  ['too much', z.object({ n: z.number().max(3) }), { n: 4 }, ['n must be at most 3']],
  ['null', z.object({ n: z.string() }), { n: null }, ['n must be a string, not null']],
])('%s is an error that says what is allowed, not "Invalid input"', (_, schema, input, expected) => {
  expect(lines(schema, input)).toEqual(expected);
});

test('a schema’s own message wins over the general one', () => {
  expect(lines(z.string().max(2, 'must be short'), 'long')).toEqual(['must be short']);
});
