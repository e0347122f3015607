import { expect, test } from 'vitest';
import { findByName } from '../../src/cli/worker-id.ts';
import type { Summary } from '../../src/model/index.ts';

const worker = (worker_id: string, status: string, more: Partial<Summary> = {}) =>
  ({ worker_id, name: 'ann', status, desired: 'running', ...more }) as Summary;

test.each([
  [
    'the living one before those that ended',
    [worker('a', 'FAILED'), worker('b', 'RUNNING'), worker('c', 'STOPPED')],
    ['b'],
  ],
  ['the last of those that ended', [worker('a', 'FAILED'), worker('b', 'STOPPED')], ['b']],
  [
    'one that is being deleted last',
    [worker('a', 'RUNNING', { desired: 'deleted' }), worker('b', 'STARTING')],
    ['b'],
  ],
  [
    'both of an older version that knew no better',
    [worker('a', 'RUNNING'), worker('b', 'RUNNING')],
    ['a', 'b'],
  ],
  ['no other name', [worker('a', 'RUNNING', { name: 'anna' })], []],
])('a name means %s', (_, workers, ids) => {
  expect(findByName(workers, 'ann')).toEqual(ids);
});
