import { expect, test } from 'vitest';
import { toKillOrder } from '../../../src/runtimes/process/members.ts';

const process = (pid: number, start: string) => ({
  pid,
  start,
  ppid: 1,
  group: pid,
  session: pid,
  stopped: false,
  threads: 1,
  cpu_seconds: 0,
});

// The pids of a busy machine had wrapped: a command was killed before its wrapper, which reported it as failed.
test('a body is killed from its oldest process to its youngest, whatever their pids', () => {
  const command = process(300, '1000250');
  const wrapper = process(32_700, '1000101');
  const shim = process(32_699, '1000100');
  const twin = process(301, '1000250');
  expect(toKillOrder([command, twin, wrapper, shim])).toEqual([shim, wrapper, command, twin]);
  expect(toKillOrder([process(2, 'Mon Nov 30'), process(1, 'Mon Nov 30')]).map(({ pid }) => pid)).toEqual([
    1, 2,
  ]);
});
