import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type WorkerSpec, workerSpec } from '../../../src/model/index.ts';
import { readTaskSettings } from '../../../worker-base/tasks/task-settings.ts';

const specOf = (fields: Partial<WorkerSpec> = {}) =>
  workerSpec.parse({ agent_type: 'TASK', runtime: 'process', ...fields });
const read = (env: NodeJS.ProcessEnv, fields: Partial<WorkerSpec> = {}, external = false) =>
  readTaskSettings(env, specOf(fields), external);

test('a task worker without settings has one slot, the default pool, no port and no limits', () => {
  expect(read({})).toEqual({
    allowedHosts: [],
    pool: 'default',
    slots: 1,
    port: undefined,
    host: '127.0.0.1',
    queueSize: undefined,
    queueSizeOtherwise: undefined,
    maxCpuPercent: undefined,
    maxMemoryPercent: undefined,
    timeoutSeconds: undefined,
    checkMs: 30_000,
    commands: false,
    handlers: [],
  });
});

test('the spec goes before the environment, and MAX_WORKERS before concurrency', () => {
  const env = { WORKER_PORT: '5000', MAX_CPU_PERCENT: '90', WORKER_POOL: 'other', HANDLERS_DIR: '/srv/h' };
  const spec = {
    pool: 'work',
    concurrency: 3,
    handlers: ['a.py', '/opt/b.py'],
    env: { WORKER_PORT: '0', TASK_TIMEOUT: '1.5', HEALTH_CHECK_INTERVAL: '0.5' },
  };
  expect(read(env, spec)).toMatchObject({
    pool: 'work',
    slots: 3,
    port: 0,
    maxCpuPercent: 90,
    timeoutSeconds: 1.5,
    checkMs: 500,
    handlers: ['/srv/h/a.py', '/opt/b.py'],
  });
  expect(read({ ...env, MAX_WORKERS: '8' }, spec).slots).toBe(8);
});

test.each([
  [undefined, 60, 60],
  ['10', 60, 10],
  ['100', 60, 60],
  ['100', undefined, 100],
])('with TASK_TIMEOUT %s and max_job_time %s, an attempt has %s s', (timeout, limit, seconds) => {
  const fields = limit === undefined ? {} : { max_job_time_seconds: limit };
  expect(read({ TASK_TIMEOUT: timeout }, fields).timeoutSeconds).toBe(seconds);
});

test.each([
  ['WORKER_PORT', '70000'],
  ['WORKER_PORT', '-1'],
  ['MAX_WORKERS', '0'],
  ['MAX_WORKERS', '1.5'],
  ['QUEUE_SIZE', 'many'],
  ['MAX_MEMORY_PERCENT', '101'],
  ['TASK_TIMEOUT', '1e9'],
  ['HEALTH_CHECK_INTERVAL', '0'],
  ['WORKER_POOL', 'Über'],
])('%s=%s is reported by its name', (name, value) => {
  expect(() => read({ [name]: value })).toThrow(`${name} is "${value}": it must be`);
});

describe('a node that is started manually', () => {
  test('has the defaults of the worker-node document', () => {
    expect(read({}, {}, true)).toMatchObject({
      slots: 4,
      queueSize: undefined,
      queueSizeOtherwise: 100,
      maxCpuPercent: 90,
      maxMemoryPercent: 85,
      timeoutSeconds: 300,
      checkMs: 30_000,
    });
  });

  test('has no bound if it is "none", in either case', () => {
    const bounds = ['QUEUE_SIZE', 'MAX_CPU_PERCENT', 'MAX_MEMORY_PERCENT', 'TASK_TIMEOUT'];
    const env = Object.fromEntries(bounds.map((name, at) => [name, at % 2 ? 'NONE' : 'none']));
    expect(read(env, {}, true)).toMatchObject({
      queueSize: 'none',
      maxCpuPercent: undefined,
      maxMemoryPercent: undefined,
      timeoutSeconds: 604_800,
    });
    expect(() => read({ MAX_WORKERS: 'none' }, {}, true)).toThrow('MAX_WORKERS is "none"');
    expect(() => read({ HEALTH_CHECK_INTERVAL: 'none' }, {}, true)).toThrow(
      'HEALTH_CHECK_INTERVAL is "none"',
    );
  });

  test('takes all handler files of the folder, or those that are set', () => {
    const folder = mkdtempSync(join(tmpdir(), 'handlers-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const name of ['b.py', 'a.mjs', 'd.cjs', 'c.d.ts', 'c.d.cts', 'notes.txt'])
      writeFileSync(join(folder, name), '');
    const inFolder = (...names: string[]) => names.map((name) => join(folder, name));
    expect(read({ HANDLERS_DIR: folder }, {}, true).handlers).toEqual(inFolder('a.mjs', 'b.py', 'd.cjs'));
    expect(read({ HANDLERS_DIR: folder, HANDLERS: 'b.py, c.py' }, {}, true).handlers).toEqual(
      inFolder('b.py', 'c.py'),
    );
    expect(read({ HANDLERS_DIR: join(folder, 'none') }, {}, true).handlers).toEqual([]);
  });
});

test('a node accepts requests for its own name and for those that the operator adds', () => {
  expect(read({ WORKER_ID: 'worker-1', HTTP_ALLOWED_HOSTS: 'a.example, .b.example' }).allowedHosts).toEqual([
    'a.example',
    '.b.example',
    'worker-1',
  ]);
});

test('commands are what the spec allows, and at a node by hand the operator', () => {
  expect(read({ TASK_COMMANDS: 'true' }).commands).toBe(false);
  expect(read({}, { commands: true }).commands).toBe(true);
  expect(read({ TASK_COMMANDS: 'true' }, {}, true).commands).toBe(true);
  expect(read({ TASK_COMMANDS: '' }, {}, true).commands).toBe(false);
  expect(() => read({ TASK_COMMANDS: 'yes' }, {}, true)).toThrow(
    'TASK_COMMANDS is "yes": it must be true or false.',
  );
});
