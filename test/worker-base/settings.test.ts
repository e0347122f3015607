/** What the wrapper reads from its environment, of a node that was started by hand above all. */
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { readWrapperSettings } from '../../worker-base/settings.ts';

const read = (env: NodeJS.ProcessEnv) =>
  readWrapperSettings({ REDIS_URL: 'redis://127.0.0.1', WORKSPACE_PATH: '/workspace', ...env });
const MANAGED = { WORKER_ID: 'a-b', WORKER_INCARNATION: '1' };

test.each([
  [{ WORKER_ID: 'worker-1' }, 'worker-1'],
  [{ WORKER_ID: 'worker_1.eu' }, 'worker_1.eu'],
  [{ HOSTNAME: '3f2a9c1d7e60' }, '3f2a9c1d7e60'],
  [{ WORKER_ID: '', HOSTNAME: 'host.example:7' }, 'host.example-7'],
  [{ HOSTNAME: '-._' }, 'node'],
  [{}, hostname()],
])('a node with %j is called %s, and its handlers see that', (env, id) => {
  const settings = read(env);
  expect([settings.workerId, settings.inherited.WORKER_ID, settings.external]).toEqual([id, id, true]);
});

test.each(['a b', 'a:b', '../x', '*', '-x', 'x'.repeat(65), 'ü'])('WORKER_ID=%s is refused', (id) => {
  expect(() => read({ WORKER_ID: id })).toThrow(`WORKER_ID is "${id}": it must be`);
});

test('a body of a manager has no name of its own making', () => {
  expect(() => read({ WORKER_INCARNATION: '1', HOSTNAME: 'x' })).toThrow(
    /^WORKER_ID is not set: the manager/,
  );
  expect(() => read({ ...MANAGED, WORKER_ID: 'worker_1' })).toThrow('must be a UUID');
});

test('the error of a node without REDIS_URL says where to set it', () => {
  expect(() => readWrapperSettings({ WORKSPACE_PATH: '/w' })).toThrow(
    /^REDIS_URL is not set: a node requires it/,
  );
});

test.each([
  [undefined, 'info'],
  ['INFO', 'info'],
  ['Warning', 'warning'],
  ['DEBUG', 'debug'],
  ['CRITICAL', 'critical'],
])('LOG_LEVEL=%s is %s', (text, level) => {
  expect(read({ LOG_LEVEL: text }).logLevel).toBe(level);
});

test('an unknown LOG_LEVEL or LOG_FORMAT is refused with what is allowed', () => {
  expect(() => read({ LOG_LEVEL: 'loud' })).toThrow(
    /^LOG_LEVEL is "loud": it must be one of trace, debug, info/,
  );
  expect(() => read({ LOG_FORMAT: 'xml' })).toThrow('LOG_FORMAT is "xml": it must be text or json.');
});

test('the log of a node is text, and that of a body is JSON', () => {
  expect([read({}).logFormat, read(MANAGED).logFormat, read({ LOG_FORMAT: 'JSON' }).logFormat]).toEqual([
    'text',
    'json',
    'json',
  ]);
});

test.each([
  ['WORKER_FINISH_MS', '86400001', 'a whole number from 0 to 86400000'],
  ['WORKER_SPOOL_BYTES', '1g', 'a whole number from 0 to 1099511627776'],
  ['WORKER_INCARNATION', '0', 'a whole number from 1 to 1000000000'],
])('%s=%s is refused with what is allowed', (name, text, allowed) => {
  expect(() => read({ ...MANAGED, [name]: text })).toThrow(`${name} is "${text}": it must be ${allowed}.`);
});
