import { expect, test } from 'vitest';
import { toWorkerRef } from '../../src/cli/refs.ts';

test('a reference to a worker is an ID or a name, and one to something else leads to its verbs', () => {
  expect(['worker/a', 'a', 'pools', 'task'].map(toWorkerRef)).toEqual(['a', 'a', 'pools', 'task']);
  expect(() => toWorkerRef('pool/jobs')).toThrow(
    '"pool/jobs" is a pool, and this verb is for workers. `wm pools',
  );
  expect(() => toWorkerRef('task/1')).toThrow('`wm tasks --help`');
  expect(() => toWorkerRef('checkpoint/1')).toThrow('`wm checkpoints --help`');
});
