import { expect, test } from 'vitest';
import { formatInstant, type WorkerRecord } from '../../src/model/index.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { hasChanged, toLifecycleEvent } from '../../src/reconcile/history.ts';
import { type Given, ID, lifeOf, look, memoOf, NOW } from './observation.ts';

const RUNNING = { memo: memoOf({ RUNNING: 'ready' }, lifeOf({ expected: true })), body: {}, beat: {} };

/** The record as it is read back after a decision was stored: through JSON, where what is undefined is gone. */
function readBack(given: Given): { record: WorkerRecord; again: Given } {
  const observation = look(given);
  const { status, memo } = JSON.parse(JSON.stringify(decide(observation)));
  return {
    record: { id: ID, desired: observation.desired, status, memo, revision: 1 },
    again: { ...given, status, memo },
  };
}

test('a decision is new if none was stored, and not if the same was', () => {
  const observation = look(RUNNING);
  const bare: WorkerRecord = {
    id: ID,
    desired: observation.desired,
    status: undefined,
    memo: undefined,
    revision: 0,
  };
  expect(hasChanged(bare, decide(observation))).toBe(true);
  const { record, again } = readBack(RUNNING);
  expect(hasChanged(record, decide(look(again)))).toBe(false);
  expect(toLifecycleEvent(look(again), decide(look(again)))).toBeUndefined();
});

test.each<[string, Given, boolean]>([
  ['a body that reports no address any more', { body: { ip_address: undefined } }, false],
  ['another address', { body: { ip_address: '10.0.0.9' } }, true],
  ['a command', { desired: { generation: 2 } }, true],
  ['a heartbeat', { beat: { seq: 99 } }, false],
  ['time', { now: NOW + 1000 }, false],
])('whether this is news: %s', (_, more, news) => {
  const { record, again } = readBack(RUNNING);
  const observation = look({ ...again, ...more });
  expect(hasChanged(record, decide(observation))).toBe(news);
});

test('describes changes that users can see, and actions', () => {
  const { again } = readBack(RUNNING);
  const observation = look({ ...again, body: { state: 'exited', exit_code: 3 } });
  expect(toLifecycleEvent(observation, decide(observation))).toEqual({
    timestamp: formatInstant(NOW),
    type: 'status',
    status: 'FAILED',
    phase: 'cleaning',
    reason: 'Error',
    message: 'It exited with code 3 before it was ready.',
    incarnation: 2,
    actions: ['remove body body'],
  });
});

test('a step within one status is progress', () => {
  const { again } = readBack(RUNNING);
  const observation = look({ ...again, desired: { desired: 'stopped', generation: 2 } });
  expect(toLifecycleEvent(observation, decide(observation))).toMatchObject({
    type: 'progress',
    status: 'RUNNING',
    phase: 'stopping',
    reason: 'Stopped',
    actions: ['send SIGTERM to body body'],
  });
});
