import { expect, test } from 'vitest';
import { Fault, formatInstant } from '../../src/model/index.ts';
import { toHeartbeat, toRecord, toStatus } from '../../src/store/parse.ts';
import { specOf } from '../reconcile/observation.ts';

const hash = {
  spec: JSON.stringify(specOf()),
  desired: 'running',
  generation: '3',
  created_at: formatInstant(0),
};

test('a record is read as it was written', () => {
  const status = {
    status: 'FAILED',
    phase: 'finished',
    reason: 'Error',
    message: '',
    incarnation: '2',
    restarts: '1',
  };
  const more = {
    runtime: 'docker',
    observed_generation: '3',
    exit_code: '3',
    revision: '7',
    memo: 'half a {',
  };
  const record = toRecord('id', { ...hash, request_id: 'r' }, { ...status, ...more });
  expect(record).toMatchObject({ desired: { generation: 3, request_id: 'r' }, revision: 7, memo: undefined });
  expect(record.status).toMatchObject({ incarnation: 2, exit_code: 3 });
});

test('an unreadable spec stops its worker, reports the location, and can still be deleted', () => {
  const spec = JSON.stringify({ ...specOf(), runtime: 'process', from_the_future: 1 });
  expect(() => toRecord('id', { ...hash, spec }, {})).toThrow(Fault);
  expect(() => toRecord('id', { ...hash, spec }, {})).toThrow(/from_the_future.*Delete the worker/);
  expect(toRecord('id', { ...hash, spec, desired: 'deleted' }, {}).desired.spec.runtime).toBe('process');
  const lost = toRecord('id', { ...hash, spec: '{', desired: 'deleted' }, {});
  expect(lost.desired).toMatchObject({ desired: 'deleted', spec: { runtime: 'docker' } });
});

test.each(['', '{', 'null', '5', '{"incarnation":"x"}', '[]'])(
  'the heartbeat %j counts as absent',
  (text) => {
    expect(toHeartbeat(text)).toBeUndefined();
  },
);

test('an unreadable status counts as absent', () => {
  expect(toStatus({ status: 'DANCING' })).toBeUndefined();
  expect(toStatus({})).toBeUndefined();
});
