import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { addPair, parseSeconds, readTextOrFile } from '../../../src/cli/values.ts';
import { createFields, fieldsFile } from '../../../src/cli/workers/create-fields.ts';
import { isUnexpected } from '../../../src/cli/workers/create-worker.ts';
import { parseCommand } from '../../../src/model/index.ts';

test('every option becomes its field of the contract', () => {
  const fields = createFields(
    {
      name: 'n',
      instructions: 'do',
      prompt: 'p',
      exitAfterPrompt: true,
      env: { A: 'b' },
      runtime: 'docker',
      memory: '512m',
      cpus: 1.5,
      pids: 256,
      restart: 'on-failure',
      maxRestarts: 3,
      stopGrace: 5,
      startDeadline: 30,
      ttl: 3600,
      idleTimeout: 60,
      keep: 10,
      label: { k: 'v' },
      allowedCommand: ['git'],
      module: ['GIT'],
      secret: ['token'],
      requirements: 'six\n',
      package: ['jq'],
      workerId: '00000000-0000-4000-8000-000000000001',
    },
    ['cat', '-n'],
  );
  expect(fields).toEqual({
    agent_type: 'CUSTOM',
    command_line: ['cat', '-n'],
    name: 'n',
    instructions: 'do',
    prompt: 'p',
    exit_after_prompt: true,
    env: { A: 'b' },
    runtime: 'docker',
    resources: { memory: '512m', cpus: 1.5, pids: 256 },
    restart_policy: 'on-failure',
    max_restarts: 3,
    stop_grace_seconds: 5,
    start_deadline_seconds: 30,
    ttl_seconds: 3600,
    idle_timeout_seconds: 60,
    keep_finished_seconds: 10,
    labels: { k: 'v' },
    allowed_commands: ['git'],
    modules: ['GIT'],
    secrets: ['token'],
    requirements: 'six\n',
    packages: ['jq'],
    worker_id: '00000000-0000-4000-8000-000000000001',
  });
  expect(() => parseCommand({ ...fields, command: 'create', request_id: 'r' })).not.toThrow();
});

test('a task worker has its own fields', () => {
  const given = { type: 'TASK', handler: ['a.py'], concurrency: 4, maxJobTime: 60, image: 'team/worker:1' };
  const fields = createFields(given, []);
  expect(fields).toEqual({
    agent_type: 'TASK',
    handlers: ['a.py'],
    concurrency: 4,
    max_job_time_seconds: 60,
    image: 'team/worker:1',
  });
  expect(() => parseCommand({ ...fields, command: 'create', request_id: 'r' })).not.toThrow();
});

test('the command line wins over the file, field by field of a map', () => {
  const file = {
    command: 'create',
    agent_type: 'CLAUDE',
    name: 'f',
    env: { A: '1', B: '1' },
    resources: { memory: '64m', pids: 9 },
  };
  expect(createFields({ file, name: 'l', env: { B: '2' }, memory: '128m' }, [])).toEqual({
    agent_type: 'CLAUDE',
    name: 'l',
    env: { A: '1', B: '2' },
    resources: { memory: '128m', pids: 9 },
  });
});

test('what nothing can be made of is wrong usage', () => {
  expect(() => createFields({}, [])).toThrow('nothing to run');
  expect(() => createFields({ file: { command: 'delete' } }, [])).toThrow('only create');
});

test.each([
  ['90', 90],
  ['90s', 90],
  ['1.5m', 90],
  ['2h', 7200],
  ['7d', 604_800],
])('%s is %d seconds', (text, value) => {
  expect(parseSeconds(text)).toBe(value);
});

test.each(['', 'soon', '-1', '1w', '5 m', '1e3'])('%j is not a duration', (text) => {
  expect(() => parseSeconds(text)).toThrow('such as 90s');
});

test('pairs gather, and may hold = in their value', () => {
  expect(addPair('B=c=d', { A: '1' })).toEqual({ A: '1', B: 'c=d' });
  expect(addPair('A=')).toEqual({ A: '' });
  expect(() => addPair('A')).toThrow('NAME=VALUE');
  expect(() => addPair('=x')).toThrow('NAME=VALUE');
});

test('a text may come from a file', () => {
  expect(readTextOrFile('plain')).toBe('plain');
  expect(readTextOrFile(`@${import.meta.filename}`)).toContain('a text may come from a file');
  expect(() => readTextOrFile('@/nowhere')).toThrow('ENOENT');
});

test('a file with a byte order mark was taken by apply and refused by create', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'wm-bom-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'worker.json');
  await writeFile(file, '\uFEFF{"name": "n", "command_line": ["true"]}');
  expect(fieldsFile(file)).toEqual({ name: 'n', command_line: ['true'] });
});

test.each<[string, boolean]>([
  ['Not in Docker: The image worker:0 is not there.', true],
  ["Not in Docker: Docker does not answer: Docker at unix:///x can't be reached: connection refused.", true],
  // It was repeated at every create.
  [
    "Not in Docker: Docker does not answer: Docker at unix:///x can't be reached: no such socket. Is Docker running?",
    false,
  ],
  ['This manager uses only process (RUNTIME=process).', false],
  ['', false],
])('whether the user sees that "%s": %s', (reason, expected) => {
  expect(isUnexpected(reason)).toBe(expected);
});

test.each([
  [{ checkpointOn: ['turn', 'stop'], checkpointKeep: 5 }, undefined, { on: ['turn', 'stop'], keep: 5 }],
  // An interval alone says when.
  [{ checkpointInterval: 60 }, undefined, { on: ['interval'], interval_seconds: 60 }],
  [
    { checkpointInterval: 60 },
    { on: ['turn', 'interval'] },
    { on: ['turn', 'interval'], interval_seconds: 60 },
  ],
  [{ checkpointKeep: 1 }, { on: ['stop'], keep: 9 }, { on: ['stop'], keep: 1 }],
  [{}, { on: ['stop'] }, { on: ['stop'] }],
])('checkpoint options %j and a file with %j', (options, file, expected) => {
  const fields = createFields({ ...options, ...(file && { file: { checkpoint: file } }) }, ['true']);
  expect(fields.checkpoint).toEqual(expected);
});
