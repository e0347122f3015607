import { describe, expect, test } from 'vitest';
import { Fault, parseCommand, parseMemory, workerId } from '../../src/model/index.ts';

const CREATE = { command: 'create', request_id: 'r', agent_type: 'CUSTOM', command_line: ['agent'] };
const issuesOf = (input: unknown): Record<string, string> => {
  try {
    parseCommand(input);
    return {};
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    const { code, issues } = error as Fault;
    expect(code).toBe('invalid_command');
    return Object.fromEntries((issues ?? []).map(({ path, message }) => [path, message]));
  }
};

test('a create has the defaults of the contract', () => {
  expect(parseCommand(CREATE)).toEqual({
    ...CREATE,
    runtime: 'auto',
    restart_policy: 'never',
    stop_grace_seconds: 10,
    start_deadline_seconds: 120,
    keep_finished_seconds: 86_400,
  });
});

test.each<[string, object, string]>([
  ['a missing command line', { command_line: undefined }, 'command_line'],
  ['a command line for an agent of its own', { agent_type: 'CLAUDE' }, 'command_line'],
  ['an end after no prompt', { exit_after_prompt: true }, 'prompt'],
  ['too little memory', { resources: { memory: '5m' } }, 'resources.memory'],
  ['memory in no unit', { resources: { memory: '1 gigabyte' } }, 'resources.memory'],
  ['no processes', { resources: { pids: 0 } }, 'resources.pids'],
  ['an endless deadline', { start_deadline_seconds: 1e9 }, 'start_deadline_seconds'],
  ['infinity', { ttl_seconds: Number.POSITIVE_INFINITY }, 'ttl_seconds'],
  ['a name with a path', { name: '../x' }, 'name'],
  ['a label with a newline', { labels: { 'a\nb': 'x' } }, 'labels.a\nb'],
  [
    'too many labels',
    { labels: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`l${n}`, ''])) },
    'labels',
  ],
])('names %s', (_, more, path) => {
  expect(Object.keys(issuesOf({ ...CREATE, ...more }))).toEqual([path]);
});

const TASK = { command: 'create', request_id: 'r', agent_type: 'TASK' };

test('a task worker needs nothing but its type', () => {
  expect(parseCommand(TASK)).toMatchObject({ agent_type: 'TASK', runtime: 'auto' });
  const full = {
    handlers: ['a.py', 'sub/b.mjs', '/opt/c.ts', 'd.cjs', 'e.cts', 'f.mts'],
    concurrency: 8,
    max_job_time_seconds: 0.5,
  };
  expect(parseCommand({ ...TASK, ...full, image: 'registry.local:5000/a/b:1' })).toMatchObject(full);
});

test.each<[string, object, string]>([
  ['a prompt', { prompt: 'x' }, 'prompt'],
  ['instructions', { instructions: 'x' }, 'instructions'],
  ['a command line', { command_line: ['x'] }, 'command_line'],
  ['allowed commands', { allowed_commands: [] }, 'allowed_commands'],
  ['a handler out of the directory', { handlers: ['../x.py'] }, 'handlers.0'],
  ['a handler in another spelling', { handlers: ['a//x.py'] }, 'handlers.0'],
  ['a handler in another language', { handlers: ['x.rb'] }, 'handlers.0'],
  ['no handlers', { handlers: [] }, 'handlers'],
  ['no slot', { concurrency: 0 }, 'concurrency'],
  ['no time', { max_job_time_seconds: 0 }, 'max_job_time_seconds'],
  ['an option as an image', { image: '--privileged' }, 'image'],
  ['modules with an image', { image: 'a', modules: ['GIT'] }, 'modules'],
  ["a pool, which is the manager's to set", { pool: 'x' }, 'pool'],
  ['a revision of a pool', { pool_revision: 'x' }, 'pool_revision'],
])('names %s of a task worker', (_, more, path) => {
  expect(Object.keys(issuesOf({ ...TASK, ...more }))).toEqual([path]);
});

test.each([['handlers', ['a.py']] as const, ['concurrency', 2] as const])(
  '%s are for task workers',
  (field, value) => {
    expect(issuesOf({ ...CREATE, [field]: value })).toEqual({ [field]: 'is only for agent_type TASK' });
  },
);

describe('the reader survives any command', () => {
  test.each([undefined, null, 5, 'text', [], [CREATE], {}, Object.create(null)])('%j', (input) => {
    expect(Object.keys(issuesOf(input)).length).toBeGreaterThan(0);
  });

  test('nested too deep', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 4000; level += 1) deep = [deep];
    expect(Object.values(issuesOf({ ...CREATE, env: { A: deep } }))).toContain('is nested too deeply');
  });

  test('wrong in four thousand ways', () => {
    const fields = Object.fromEntries(Array.from({ length: 4000 }, (_, n) => [`wrong-${n}`, 1]));
    const issues = issuesOf({ ...CREATE, ...fields, ['x'.repeat(10_000)]: 1 });
    expect(Object.keys(issues)).toHaveLength(50);
    expect(Math.max(...Object.keys(issues).map((path) => path.length))).toBeLessThanOrEqual(200);
  });
});

test('a worker id is a UUID in lower case and nothing else', () => {
  const sound = '0b0e7f3e-0000-4000-8000-000000000001';
  expect(workerId.safeParse(sound).success).toBe(true);
  for (const bad of [sound.toUpperCase(), `${sound}\n`, ` ${sound}`, `${sound}:status`, '*', '', '__proto__'])
    expect(workerId.safeParse(bad).success, JSON.stringify(bad)).toBe(false);
});

test.each([
  ['512m', 536_870_912],
  ['1.5G', 1_610_612_736],
  ['64k', 65_536],
  ['7b', 7],
  ['1048576', 1_048_576],
  ['', undefined],
  ['-1m', undefined],
  ['1e9', undefined],
  ['m', undefined],
  ['1mb', undefined],
])('%j is a size of %s bytes', (text, bytes) => {
  expect(parseMemory(text)).toBe(bytes);
});
