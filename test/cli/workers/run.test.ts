import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { toBuildProgress } from '../../../src/cli/print/build-progress.ts';
import type { Listing } from '../../../src/cli/print/listing.ts';
import { CliOutput } from '../../../src/cli/print/output.ts';
import { watchListing } from '../../../src/cli/print/watch.ts';
import { parseSince } from '../../../src/cli/values.ts';
import { toRunExitCode } from '../../../src/cli/workers/run.ts';
import { statusOf } from '../../reconcile/observation.ts';

test.each([
  ['its program ended well', true, { status: 'STOPPED', exit_code: 0 }, 0],
  ['its program failed', true, { status: 'FAILED', exit_code: 3 }, 3],
  ['it was stopped', true, { status: 'STOPPED', exit_code: 143 }, 143],
  ['it has no exit code', true, { status: 'FAILED' }, 1],
  ['it failed although its program ended well', true, { status: 'FAILED', exit_code: 0 }, 1],
  ['its program was not started', false, { status: 'FAILED', exit_code: 127 }, 1],
] as const)('the exit code of a run if %s', (_, started, status, code) => {
  expect(toRunExitCode(started, statusOf(status))).toBe(code);
  expect(toRunExitCode(started, undefined)).toBe(1);
});

test.each([
  [
    'worker:01ab: Step 3/12 : RUN apt-get update',
    { step: 3, of: 12, line: 'Step 3/12 : RUN apt-get update' },
  ],
  ['worker:01ab: Waiting for another build', { step: 0, of: 0, line: 'Waiting for another build' }],
  ['worker:01ab does not exist yet.', { step: 0, of: 0, line: 'worker:01ab does not exist yet.' }],
])('the step of a build is in the status of the worker that waits for it: %s', (message, progress) => {
  const building = statusOf({ phase: 'building', reason: 'ImageBuilding', message });
  expect(toBuildProgress(building)).toEqual(progress);
  expect(toBuildProgress({ ...building, phase: 'creating' })).toBeUndefined();
});

test('a time is an age, an instant or the ID of an entry', () => {
  expect(parseSince('1700000000000-3')).toBe('1700000000000-3');
  expect(parseSince('2023-11-14T22:13:20Z')).toMatch(/^1699999999999-/);
  const [ms] = parseSince('10m').split('-').map(Number);
  expect(Date.now() - (ms ?? 0)).toBeGreaterThanOrEqual(600_000);
  expect(Date.now() - (ms ?? 0)).toBeLessThan(660_000);
  expect(() => parseSince('yesterday')).toThrow('It must be an age such as 10m');
});

test('a watched list prints its rows again only if they change', async () => {
  const row = (name: string, state: string) => ({ name, value: { name, state }, cells: [name, state] });
  const lists = [
    [row('a', 'new'), row('long-name', 'new')],
    [row('a', 'new'), row('long-name', 'old')],
  ];
  const print = async (format: 'table' | 'json' | 'name') => {
    const stdout = new PassThrough({ encoding: 'utf8' });
    const out = new CliOutput(stdout as never, new PassThrough() as never);
    const left = [...lists];
    await watchListing(out, format, async (): Promise<Listing | undefined> => {
      const rows = left.shift();
      return rows && { columns: ['NAME', 'STATE'], rows };
    });
    return stdout.read();
  };
  const [table, json, names] = await Promise.all([print('table'), print('json'), print('name')]);
  expect(table).toBe('NAME        STATE\na           new\nlong-name   new\nlong-name   old\n');
  expect(
    json
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line).state),
  ).toEqual(['new', 'new', 'old']);
  expect(names).toBe('a\nlong-name\nlong-name\n');
});
