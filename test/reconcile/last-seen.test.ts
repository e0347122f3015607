import { beforeEach, describe, expect, test } from 'vitest';
import { decide } from '../../src/reconcile/decide.ts';
import { LastSeen } from '../../src/reconcile/last-seen.ts';
import { bodyOf, type Given, ID, INCARNATION, lifeOf, look, memoOf, NOW, statusOf } from './observation.ts';

const RUNNING = { memo: memoOf({ RUNNING: 'ready' }, lifeOf({ expected: true })), body: {}, beat: {} };
const BOOTING = { memo: memoOf({ STARTING: 'booting' }, lifeOf({ expected: true })), body: {} };
const ERROR = { reason: 'Error', message: '', well: false, at: NOW };
const FAILED = { memo: memoOf('FAILED', lifeOf({ generation: 1 })) };

let lastSeen: LastSeen;
beforeEach(() => {
  lastSeen = new LastSeen();
});
const passed = (given: Given, revision = 5) => {
  const observation = look(given);
  lastSeen.set(observation, revision, decide(observation));
};

describe('a record', () => {
  test.each([
    ['is observed if no pass has seen it', undefined, '1.5', true],
    ['is left where the last pass wrote it', RUNNING, '1.5', false],
    ['is observed after a command', RUNNING, '2.5', true],
    ['is observed after another writer changed its status', RUNNING, '1.6', true],
  ] as const)('%s', (_, given, index, looked) => {
    if (given) passed(given);
    expect(lastSeen.changedRecords({ [ID]: index })).toEqual(looked ? [ID] : []);
  });

  test('that is deleted is unknown again', () => {
    passed(RUNNING);
    lastSeen.delete(ID);
    expect(lastSeen.changedRecords({ [ID]: '1.5' })).toEqual([ID]);
  });
});

describe('a body', () => {
  const docker = new Set(['docker']);
  test.each([
    ['that is as it was', [bodyOf()], false],
    ['that is gone', [], true],
    ['that has exited', [bodyOf({ state: 'exited' })], true],
    ['that was paused', [bodyOf({ paused: true })], true],
    ['that is another one', [bodyOf({ id: 'other' })], true],
    ['that is there twice', [bodyOf(), bodyOf({ id: 'other' })], true],
    ['that has only used more', [bodyOf({ ip_address: undefined })], false],
  ])('%s', (_, bodies, looked) => {
    passed(RUNNING);
    expect(lastSeen.changedBodies(bodies, docker)).toEqual(looked ? [ID] : []);
  });

  test('of a runtime that gave no list has no result', () => {
    passed(RUNNING);
    expect(lastSeen.changedBodies([], new Set(['process']))).toEqual([]);
  });

  test('that is new for its worker is enqueued, as is one that could not be observed before', () => {
    passed(FAILED);
    expect(lastSeen.changedBodies([], docker)).toEqual([]);
    expect(lastSeen.changedBodies([bodyOf()], docker)).toEqual([ID]);
    passed({ ...RUNNING, actual: { kind: 'unknown', error: '' } });
    expect(lastSeen.changedBodies([bodyOf()], docker)).toEqual([ID]);
  });

  test('without a record is left to the sweep', () => {
    expect(lastSeen.changedBodies([bodyOf()], docker)).toEqual([]);
  });
});

describe('a heartbeat', () => {
  const beat = { incarnation: INCARNATION, phase: 'ready', age_ms: 1000 } as const;
  const silent = {
    ...RUNNING,
    memo: memoOf({ RUNNING: 'silent' }, lifeOf({ expected: true })),
    beat: { at: '2030-01-01T11:00:00.000Z' },
  };
  test.each([
    ['of a booting worker that is ready', BOOTING, beat, true],
    ['of a booting worker that boots', BOOTING, { ...beat, phase: 'booting' }, false],
    [
      'of a booting worker that ends, and had been ready',
      BOOTING,
      { ...beat, phase: 'ending', ready_at: '2030-01-01T11:00:00.000Z' },
      true,
    ],
    ['of a booting worker that ends and never was ready', BOOTING, { ...beat, phase: 'ending' }, false],
    ['of a running worker', RUNNING, beat, false],
    ['of a running worker that went silent', RUNNING, { ...beat, age_ms: 30_000 }, true],
    ['of a silent worker', silent, { ...beat, age_ms: 60_000 }, false],
    ['of a silent worker that reports again', silent, beat, true],
    ['of another incarnation', BOOTING, { ...beat, incarnation: 1 }, false],
  ] as const)('%s', (_, given, heard, looked) => {
    passed(given);
    expect(lastSeen.isHeartbeatNews(ID, heard, 30_000)).toBe(looked);
  });

  test('of a worker that was never reconciled has no result', () => {
    expect(lastSeen.isHeartbeatNews(ID, beat, 30_000)).toBe(false);
  });
});

test('the living are those that have not ended', () => {
  passed(FAILED);
  expect([lastSeen.living(), lastSeen.livingOn('docker')]).toEqual([[], []]);
  passed(RUNNING);
  expect([lastSeen.living(), lastSeen.livingOn('docker'), lastSeen.livingOn('process')]).toEqual([
    [ID],
    [ID],
    [],
  ]);
});

test('counts workers by kind', () => {
  passed(RUNNING);
  const kind = { status: 'RUNNING', runtime: 'docker', agent_type: 'CUSTOM', count: 1 };
  expect(lastSeen.count()).toMatchObject({ kinds: [kind], desired: 1 });
  // What has ended for good is not waited for; what is to be restarted is.
  passed(FAILED);
  expect(lastSeen.count().desired).toBe(0);
  passed({ memo: memoOf({ STARTING: 'backoff' }, lifeOf({ next_retry_at: Number.MAX_SAFE_INTEGER })) });
  expect(lastSeen.count().desired).toBe(1);
  passed({ ...FAILED, desired: { desired: 'stopped' } });
  expect(lastSeen.count()).toMatchObject({ kinds: [{ ...kind, status: 'FAILED' }], desired: 0 });
});

test('counts workers by reason, and those that crash again and again', () => {
  const backoff = (failures: number) => ({
    status: statusOf({ status: 'STARTING', phase: 'backoff', incarnation: INCARNATION }),
    memo: memoOf({ STARTING: 'backoff' }, lifeOf({ failures, next_retry_at: NOW + 1000, outcome: ERROR })),
  });
  passed(backoff(2));
  expect(lastSeen.count()).toMatchObject({ crash_looping: 0 });
  passed(backoff(3));
  expect(lastSeen.count()).toMatchObject({
    crash_looping: 1,
    reasons: [{ status: 'STARTING', reason: 'Error', count: 1 }],
  });
  passed(RUNNING);
  expect(lastSeen.count()).toMatchObject({ crash_looping: 0, reasons: [] });
});

describe('the oldest start', () => {
  const since = () => [...lastSeen.count().starting_since];

  test('of a worker that this term has not seen is its creation, if this is its first body', () => {
    passed({ ...BOOTING, status: statusOf({ status: 'STARTING', phase: 'booting', incarnation: 1 }) });
    expect(since()).toEqual([['booting', NOW - 3_600_000]]);
  });

  test('of a later body is the first time that it was seen, until it runs', () => {
    const later = { ...BOOTING, status: statusOf({ phase: 'booting' }) };
    passed(later);
    passed({ ...later, now: NOW + 5000 });
    expect(since()).toEqual([['booting', NOW]]);
    passed(RUNNING);
    expect(since()).toEqual([]);
  });
});
