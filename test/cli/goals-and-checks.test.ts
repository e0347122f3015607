import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { parseInfo, redisSettings } from '../../src/cli/doctor/redis-checks.ts';
import { formatErrorLines, TimedOut, toExitCode, usageError } from '../../src/cli/exit.ts';
import { evaluateGoal, type Goal } from '../../src/cli/wait-for.ts';
import { matchPrefix } from '../../src/cli/worker-id.ts';
import { getQueuePositions } from '../../src/cli/workers/ps.ts';
import { parseFilter } from '../../src/cli/workers/worker-filter.ts';
import type { Summary } from '../../src/model/index.ts';
import { Fault, type StatusRecord } from '../../src/model/index.ts';
import { compareIds } from '../../src/model/messages/entry-id.ts';

const at = (status: string, phase = 'x') => ({
  deleted: false,
  current: true,
  status: { status, phase } as StatusRecord,
});
const gone = { deleted: true, current: true, status: undefined };

test.each<[Goal, Parameters<typeof evaluateGoal>[1], string]>([
  ['RUNNING', at('STARTING'), 'not yet'],
  ['RUNNING', at('RUNNING', 'booting'), 'reached'],
  ['RUNNING', at('FAILED'), 'missed'],
  ['RUNNING', gone, 'missed'],
  ['RUNNING', { ...at('RUNNING'), current: false }, 'not yet'],
  ['RUNNING', { ...at('STOPPED'), current: false }, 'not yet'],
  ['RUNNING', { deleted: false, current: false, status: undefined }, 'not yet'],
  ['ready', at('RUNNING', 'ready'), 'reached'],
  ['ready', at('RUNNING', 'silent'), 'not yet'],
  ['ready', at('STOPPED'), 'missed'],
  ['STOPPED', at('RUNNING'), 'not yet'],
  ['STOPPED', at('FAILED'), 'missed'],
  ['FAILED', at('FAILED'), 'reached'],
  ['ended', at('FAILED'), 'reached'],
  ['ended', at('STOPPED'), 'reached'],
  ['ended', gone, 'missed'],
  ['deleted', at('STOPPED', 'deleted'), 'not yet'],
  ['deleted', gone, 'reached'],
])('waiting for %s and seeing %j: %s', (goal, seen, verdict) => {
  expect(evaluateGoal(goal, seen)).toBe(verdict);
});

test('exit codes: 1 failed, 2 wrong usage, 124 timed out', () => {
  expect(toExitCode(new Fault('not_found', 'x'))).toBe(1);
  expect(toExitCode(new Fault('unsupported', 'x'))).toBe(1);
  expect(toExitCode(new Error('x'))).toBe(1);
  expect(toExitCode(usageError('x'))).toBe(2);
  expect(toExitCode(new CommanderError(1, 'commander.unknownCommand', 'x'))).toBe(2);
  expect(toExitCode(new CommanderError(0, 'commander.helpDisplayed', 'x'))).toBe(0);
  expect(toExitCode(new TimedOut('x'))).toBe(124);
});

test('an error is printed once, with the paths that its message does not name, and without passwords', () => {
  const issues = [
    { path: 'name', message: 'is long' },
    { path: 'env.A', message: 'is odd' },
  ];
  expect(formatErrorLines(usageError('The name is wrong.', issues), false)).toEqual([
    'error: The name is wrong.',
    '  env.A is odd',
  ]);
  expect(formatErrorLines(new Error('at redis://u:p@host'), false)).toEqual(['error: at redis://***@host']);
  expect(formatErrorLines(new Error('x'), true)).toHaveLength(2);
});

const worker = (fields: Partial<Summary>) => ({ status: 'RUNNING', ...fields }) as Summary;

test('ps shows what is alive, and filters as docker does', () => {
  expect(parseFilter([], false)(worker({}))).toBe(true);
  expect(parseFilter([], false)(worker({ status: 'FAILED' }))).toBe(false);
  expect(parseFilter([], true)(worker({ status: 'FAILED' }))).toBe(true);
  expect(parseFilter(['status=failed'], false)(worker({ status: 'FAILED' }))).toBe(true);
  expect(parseFilter(['status=failed', 'status=STOPPED'], false)(worker({ status: 'STOPPED' }))).toBe(true);
  const labelled = worker({ name: 'n', labels: { a: '1', b: '' } });
  expect(parseFilter(['label=a', 'label=b'], false)(labelled)).toBe(true);
  expect(parseFilter(['label=a=1', 'name=n'], false)(labelled)).toBe(true);
  expect(parseFilter(['label=a=2'], false)(labelled)).toBe(false);
  expect(parseFilter(['label=a', 'label=c'], false)(labelled)).toBe(false);
  for (const wrong of ['a=b', 'label', 'status=', 'status=GONE'])
    expect(() => parseFilter([wrong], false)).toThrow(/^Unknown /);
});

test('ids match by their beginning, whatever the case', () => {
  expect(matchPrefix(['abc1', 'abd2', 'xabc'], 'AB')).toEqual(['abc1', 'abd2']);
});

test('ids of a stream sort as numbers', () => {
  expect(['10-1', '9-2', '10-0', '9-10'].sort(compareIds)).toEqual(['9-2', '9-10', '10-0', '10-1']);
});

test('the settings that Redis reports are checked', () => {
  const judged = (text: string) => redisSettings(parseInfo(text), 'x').map(({ state }) => state);
  const good = 'redis_version:7.0.15\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n';
  expect(judged(good)).toEqual(['ok', 'ok', 'ok']);
  expect(judged(good.replace('7.0.15', '6.0.1'))).toEqual(['bad', 'ok', 'ok']);
  expect(judged(good.replace('noeviction', 'allkeys-lru'))).toEqual(['ok', 'hint', 'ok']);
  expect(judged(good.replace('noeviction', 'allkeys-lru').replace('maxmemory:0', 'maxmemory:9'))).toEqual([
    'ok',
    'bad',
    'ok',
  ]);
  expect(judged(good.replace('aof_enabled:1', 'aof_enabled:0'))).toEqual(['ok', 'ok', 'hint']);
});

test('a version of Redis or Valkey that was not tested is a hint', () => {
  const checkOf = (text: string) => redisSettings(parseInfo(`${text}\r\n`), 'x')[0];
  expect(checkOf('redis_version:8.0.2')).toEqual({ name: 'Redis', state: 'ok', found: '8.0.2 at x' });
  expect(checkOf('redis_version:8.4.0')).toMatchObject({
    state: 'hint',
    advice: expect.stringContaining('newer'),
  });
  const valkey = (version: string) => checkOf(`redis_version:7.2.4\r\nvalkey_version:${version}`);
  expect(valkey('9.1.0')).toEqual({ name: 'Redis', state: 'ok', found: 'Valkey 9.1.0 at x' });
  expect(valkey('8.1.1')).toMatchObject({ state: 'hint', advice: expect.stringContaining('Valkey 9.1') });
});

test('ps shows workers that wait for a start their place, per runtime, the oldest first', () => {
  const summaries = [
    ['a', 'queued', 'process'],
    ['b', 'ready', 'process'],
    ['c', 'queued', 'docker'],
    ['d', 'queued', 'process'],
  ].map(([worker_id, phase, runtime]) => ({ worker_id, phase, runtime }) as Summary);
  expect([...getQueuePositions(summaries)]).toEqual([
    ['a', 'Queued (1 of 2)'],
    ['d', 'Queued (2 of 2)'],
    ['c', 'Queued (1 of 1)'],
  ]);
});
