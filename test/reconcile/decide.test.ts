import { describe, expect, test } from 'vitest';
import { formatInstant } from '../../src/model/index.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { decideShort, inState } from './decide-short.ts';
import { bodyOf, type Given, INCARNATION, look, NOW, statusOf } from './observation.ts';

test('a worker that was stopped for being idle is not restarted, whatever its policy', () => {
  const spec = { idle_timeout_seconds: 60, restart_policy: 'always' } as const;
  const life = { expected: true, running_since: NOW - 90_000 };
  const beat = { active_at: formatInstant(NOW - 61_000) };
  const first = decideShort({ ...inState({ RUNNING: 'ready' }, life), spec, body: {}, beat });
  expect(first).toMatchObject({ acts: ['terminate'], phase: 'stopping', reason: 'IdleTimeout' });
  const body = { state: 'exited', exit_code: 143 } as const;
  const second = decideShort({ memo: first.memo, spec, body, beat });
  expect(second).toMatchObject({ status: 'STOPPED', reason: 'IdleTimeout', exit_code: 143 });
  expect(decideShort({ memo: second.memo, spec }).acts).toEqual([]);
});

test('a start command for a finished worker that is about to be deleted is obeyed', () => {
  const kept = {
    ...inState('FAILED', { generation: 1, outcome: { reason: 'Error', message: '', well: false, at: 0 } }),
  };
  const forgotten = decideShort(kept);
  expect(forgotten).toMatchObject({ acts: ['purge'], value: 'DELETED' });
  const started = decideShort({ memo: forgotten.memo, desired: { generation: 2 } });
  expect(started).toMatchObject({ incarnation: INCARNATION + 1, phase: 'creating' });
  expect(decideShort({ memo: started.memo, desired: { generation: 2 } }).acts).toEqual(['create']);
});

describe('a restart', () => {
  const desired = { generation: 2, min_incarnation: INCARNATION + 1 };
  const next = { incarnation: INCARNATION + 1, restarts: 0, status: 'STARTING', phase: 'creating' };

  test.each([
    ['ready', 'RUNNING'],
    ['booting', 'STARTING'],
  ] as const)('ends the body of a worker that is %s, and creates another one', (phase, status) => {
    const life = inState({ [status]: phase }, { expected: true });
    const asked = decideShort({ ...life, desired, body: {}, beat: { phase } });
    expect(asked).toMatchObject({ acts: ['terminate'], status, phase: 'stopping', reason: 'Restarting' });
    const exited = { state: 'exited', exit_code: 143 } as const;
    const over = decideShort({ memo: asked.memo, desired, body: exited });
    expect(over).toMatchObject({ ...next, acts: ['remove'] });
    expect(decideShort({ memo: over.memo, desired, body: exited }).acts).toEqual(['remove']);
    const made = decideShort({ memo: over.memo, desired });
    expect(made).toMatchObject({ ...next, acts: ['create'] });
    const again = decideShort({ memo: made.memo, desired, body: { incarnation: INCARNATION + 1 }, beat: {} });
    expect(again).toMatchObject({ acts: [], phase: 'booting' });
  });

  test('is not lost with the memo', () => {
    const status = statusOf({ status: 'RUNNING', phase: 'stopping', observed_generation: 2 });
    expect(decideShort({ memo: undefined, status, desired, body: {}, beat: {} }).acts).toEqual(['terminate']);
    expect(decideShort({ memo: undefined, status, desired })).toMatchObject(next);
  });

  test('does not wait out a backoff, and starts an ended worker', () => {
    const backoff = inState({ STARTING: 'backoff' }, { next_retry_at: NOW + 9000 });
    expect(decideShort({ ...backoff, desired })).toMatchObject(next);
    for (const state of ['STOPPED', 'FAILED'])
      expect(decideShort({ ...inState(state, { generation: 1 }), desired }), state).toMatchObject(next);
  });

  test('yields to a stop that follows it', () => {
    const life = inState({ RUNNING: 'ready' }, { expected: true });
    const asked = decideShort({ ...life, desired, body: {}, beat: {} });
    const stopped = { ...desired, generation: 3, desired: 'stopped' } as const;
    const ended = decideShort({
      memo: asked.memo,
      desired: stopped,
      body: { state: 'exited', exit_code: 0 },
    });
    expect(ended).toMatchObject({ status: 'STOPPED', reason: 'Stopped', incarnation: INCARNATION });
  });
});

test('a body that reported and is gone was lost, and is not created again unasked', () => {
  const heard = { ...inState({ STARTING: 'creating' }), beat: {} };
  expect(decideShort(heard)).toMatchObject({ acts: [], status: 'FAILED', reason: 'Lost' });
  const before = { ...inState({ STARTING: 'creating' }), beat: { incarnation: INCARNATION - 1 } };
  expect(decideShort(before).acts).toEqual(['create']);
});

test('a decision is plain data, and the same for the same observation', () => {
  const observation = look({
    ...inState({ RUNNING: 'ready' }, { expected: true }),
    actual: { kind: 'present', body: bodyOf() },
  });
  const decision = decide(observation);
  expect(decide(observation)).toEqual(decision);
  expect(structuredClone(decision)).toEqual(decision);
});

describe('an image that has to be built', () => {
  const name = 'worker:0123456789ab';
  const creating = inState({ STARTING: 'creating' });

  test('is requested once and watched, and the body is created when it exists', () => {
    const asked = decideShort({ ...creating, image: { kind: 'absent', name } });
    expect(asked).toMatchObject({ acts: ['build'], phase: 'building', reason: 'ImageBuilding' });
    const going = decideShort({
      memo: asked.memo,
      image: { kind: 'building', name, step: 'Step 2/9 : RUN x' },
    });
    expect(going).toMatchObject({ acts: [], phase: 'building', message: `${name}: Step 2/9 : RUN x` });
    const made = decideShort({ memo: going.memo, image: { kind: 'ready', name } });
    expect(made).toMatchObject({ acts: ['create'], phase: 'creating' });
  });

  test('that cannot be built fails the try that waited for it, and the next one tries again', () => {
    const image = { kind: 'failed', name, at: NOW, reason: 'ImageBuildFailed', message: 'Step 2.' } as const;
    const spec = { restart_policy: 'always' } as const;
    const failed = decideShort({ ...creating, image, spec });
    expect(failed).toMatchObject({
      acts: [],
      phase: 'backoff',
      reason: 'ImageBuildFailed',
      message: 'Step 2.',
    });
    const later = { image, spec, now: NOW + 60_000 };
    const due = decideShort({ ...later, memo: failed.memo });
    expect(decideShort({ ...later, memo: due.memo })).toMatchObject({ acts: ['build'], phase: 'building' });
  });

  test('of an engine that does not answer decides nothing', () => {
    const blind = decideShort({ ...creating, image: { kind: 'unknown', error: 'timeout' } });
    expect(blind).toMatchObject({ acts: [], phase: 'creating', reason: 'RuntimeUnavailable' });
  });
});

test('secrets are delivered as often as the wrapper of this body requests them', () => {
  const booting = inState({ STARTING: 'booting' }, { expected: true });
  const beat = { phase: 'booting', needs_secrets: true } as const;
  expect(decideShort({ ...booting, body: {}, beat }).acts).toEqual(['deliver']);
  expect(decideShort({ ...booting, body: {}, beat: { ...beat, needs_secrets: false } }).acts).toEqual([]);
  expect(decideShort({ ...booting, body: {}, beat: { ...beat, incarnation: INCARNATION - 1 } }).acts).toEqual(
    [],
  );
});

describe('a worker that used up its restarts', () => {
  const code3 = { state: 'exited', exit_code: 3, finished_at: NOW - 1000 } as const;
  const ended = (spec: NonNullable<Given['spec']>, life = {}, more: Given = {}) =>
    decideShort({
      ...inState({ RUNNING: 'ready' }, { expected: true, restarts: 4, ...life }),
      body: code3,
      spec,
      ...more,
    });

  test('reports how often it was restarted before the manager gave up', () => {
    const { status, message } = ended({ restart_policy: 'on-failure', max_restarts: 4 });
    expect({ status, message }).toEqual({
      status: 'FAILED',
      message: 'It exited with code 3 before it was ready. Gave up after 4 restarts (max_restarts).',
    });
  });

  test.each<[string, NonNullable<Given['spec']>, object, Given]>([
    ['a policy without restarts', { restart_policy: 'never' }, {}, {}],
    ['a stop', { restart_policy: 'always', max_restarts: 4 }, {}, { desired: { desired: 'stopped' } }],
    ['no restart so far', { restart_policy: 'always', max_restarts: 0 }, { restarts: 0 }, {}],
  ])('says nothing of giving up after %s', (_, spec, life, more) => {
    expect(ended(spec, life, more).message).not.toContain('Gave up');
  });
});
