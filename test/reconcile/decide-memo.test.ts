import { describe, expect, test } from 'vitest';
import { formatInstant, type StatusRecord } from '../../src/model/index.ts';
import { decideShort, inState } from './decide-short.ts';
import { type Given, INCARNATION, lifeOf, memoOf, NOW, statusOf } from './observation.ts';

describe('an unusable memo', () => {
  const unusable: [string, Given['memo']][] = [
    ['lost', undefined],
    ['of an older machine', { ...memoOf('RUNNING', lifeOf()), machine_version: 0 }],
    ['of a newer machine', { ...memoOf({ RUNNING: 'dancing' }, lifeOf()), machine_version: 99 }],
    ['that names no state', memoOf('DANCING', lifeOf())],
    ['that names no state below one', memoOf({ RUNNING: 'dancing' }, lifeOf())],
    ['that is empty', memoOf(null, null)],
    ['without what is remembered', memoOf({ RUNNING: 'ready' }, null)],
    ['with half of what is remembered', memoOf({ RUNNING: 'ready' }, { incarnation: 2 })],
    ['with words for numbers', memoOf('FAILED', { ...lifeOf(), incarnation: '2' })],
  ];
  const since = { finished_at: formatInstant(NOW - 5000), exit_code: 3 };
  const was = (more: Partial<StatusRecord>) => statusOf({ ...since, ...more });
  const living = was({ status: 'RUNNING', phase: 'ready' });

  describe.each(unusable)('%s', (_, memo) => {
    test.each([
      ['STOPPED', { status: 'STOPPED', phase: 'finished', reason: 'Completed' }],
      ['FAILED', { status: 'FAILED', phase: 'finished', reason: 'Error' }],
      ['DELETED', { status: 'STOPPED', phase: 'deleted', reason: 'Deleted' }],
    ] as const)('never starts a worker again that was %s', (_name, status) => {
      const after = decideShort({ memo, status: was(status), spec: { restart_policy: 'always' } });
      expect(after.acts).not.toContain('create');
      expect(after).toMatchObject({ ...status, incarnation: INCARNATION, exit_code: 3 });
    });

    test('starts an ended worker again if a later command requests it', () => {
      const status = was({ status: 'FAILED', phase: 'finished' });
      const after = decideShort({ memo, status, desired: { generation: 2 } });
      expect(after).toMatchObject({ incarnation: INCARNATION + 1, restarts: 0, phase: 'creating' });
      expect(decideShort({ memo: after.memo, desired: { generation: 2 } }).acts).toEqual(['create']);
    });

    test('adopts a running body with its own incarnation', () => {
      const after = decideShort({ memo, status: living, body: {} });
      expect(after).toMatchObject({ acts: [], incarnation: INCARNATION, restarts: 1, phase: 'booting' });
      const heard = decideShort({ memo, status: living, body: {}, beat: {} });
      expect(heard).toMatchObject({ acts: [], incarnation: INCARNATION, restarts: 1, phase: 'ready' });
      const running_at = formatInstant(NOW - 14_000);
      const next = decideShort({ memo: after.memo, status: { ...living, running_at }, body: {}, beat: {} });
      expect(next, 'since when is known by the clock that wrote it').toMatchObject({
        status: 'RUNNING',
        running_at,
      });
    });

    test('reports a body that was alive as lost, instead of creating another one', () => {
      for (const phase of ['ready', 'silent', 'stopping', 'booting']) {
        const status = was({ status: phase === 'booting' ? 'STARTING' : 'RUNNING', phase });
        expect(decideShort({ memo, status }), phase).toMatchObject({
          acts: [],
          status: 'FAILED',
          reason: 'Lost',
        });
        const again = decideShort({ memo, status, spec: { restart_policy: 'always' } });
        expect(again, phase).toMatchObject({ phase: 'backoff', incarnation: INCARNATION });
      }
    });

    test('reports the end of a body that has exited meanwhile', () => {
      const after = decideShort({ memo, status: living, body: { state: 'exited', exit_code: 3 } });
      expect(after).toMatchObject({ status: 'FAILED', reason: 'Error', exit_code: 3 });
    });

    test('waits out a backoff, and counts the restart once', () => {
      const status = was({ phase: 'backoff', next_retry_at: formatInstant(NOW + 2000) });
      const waiting = decideShort({ memo, status, spec: { restart_policy: 'always' } });
      expect(waiting).toMatchObject({ acts: [], phase: 'backoff', next_retry_at: formatInstant(NOW + 2000) });
      const due = decideShort({ memo: waiting.memo, status, now: NOW + 2000 });
      expect(due).toMatchObject({ incarnation: INCARNATION + 1, restarts: 2, phase: 'creating' });
      expect(decideShort({ memo: due.memo, now: NOW + 2000 }).acts).toEqual(['create']);
    });

    test('continues to create a body that was not observed yet', () => {
      expect(decideShort({ memo, status: undefined })).toMatchObject({ acts: ['create'], incarnation: 1 });
    });

    test('still ends a body that is not wanted', () => {
      const gone = { memo, status: living, desired: { desired: 'deleted', generation: 2 } as const };
      expect(decideShort({ ...gone, body: {} })).toMatchObject({ acts: ['terminate'], phase: 'stopping' });
      expect(decideShort({ ...gone, body: { state: 'exited' } })).toMatchObject({ acts: ['remove'] });
    });
  });
});

describe('a worker that claimed a running body', () => {
  const given = statusOf({
    status: 'RUNNING',
    phase: 'assigned',
    reason: 'TakenOver',
    message: 'It is given one.',
    incarnation: 1,
    restarts: 0,
    running_at: formatInstant(NOW - 50),
  });
  const first = { incarnation: 1 };

  test('is RUNNING at once, while its wrapper receives the claim', () => {
    const asked = decideShort({ memo: undefined, status: given, body: { ...first, state: 'created' } });
    expect(asked).toMatchObject({
      status: 'RUNNING',
      phase: 'assigned',
      reason: 'TakenOver',
      message: 'It is given one.',
      incarnation: 1,
      acts: ['start'],
      running_at: formatInstant(NOW - 50),
    });
    const { memo } = asked;
    const boots = decideShort({ memo, status: given, body: first, beat: { ...first, phase: 'booting' } });
    expect(boots).toMatchObject({ status: 'RUNNING', phase: 'booting', acts: [], incarnation: 1 });
    const ready = decideShort({ memo: boots.memo, status: given, body: first, beat: first });
    expect(ready).toMatchObject({ status: 'RUNNING', phase: 'ready', running_at: formatInstant(NOW - 50) });
  });

  test('gets one of its own if that never worked, which does not count as a restart', () => {
    const policy = { spec: { restart_policy: 'never' } } as const;
    const without = decideShort({ ...policy, memo: undefined, status: given });
    expect(without).toMatchObject({ status: 'STARTING', phase: 'creating', incarnation: 2, restarts: 0 });
    expect(without.running_at).toBeUndefined();
    const next = decideShort({
      ...policy,
      memo: without.memo,
      status: statusOf({ ...given, incarnation: 2 }),
    });
    expect(next).toMatchObject({ status: 'STARTING', acts: ['create'], incarnation: 2 });
  });

  test('is ended by its policy once its wrapper has reported, even if nothing else is remembered', () => {
    const policy = { spec: { restart_policy: 'never' } } as const;
    const spoke = decideShort({ ...policy, memo: undefined, status: given, beat: first });
    expect(spoke).toMatchObject({ status: 'FAILED', reason: 'Lost', acts: [] });
    const booting = statusOf({ ...given, phase: 'booting' });
    expect(decideShort({ ...policy, memo: undefined, status: booting })).toMatchObject({ status: 'FAILED' });
  });
});

describe('clocks that do not agree', () => {
  const HOUR = 3_600_000;
  const booting = inState({ STARTING: 'booting' }, { expected: true, alive_since: NOW - 1000 });

  test('a wrapper whose clock is behind does not clear the backoff of a body that ran for a moment', () => {
    const ready = decideShort({ ...booting, body: {}, beat: { ready_at: formatInstant(NOW - 2 * HOUR) } });
    expect(ready).toMatchObject({ phase: 'ready', running_at: formatInstant(NOW) });
    const exited = { state: 'exited', exit_code: 3 } as const;
    const again = decideShort({
      memo: ready.memo,
      body: exited,
      spec: { restart_policy: 'always' },
      now: NOW + 1000,
    });
    // The second failure in a row: 2 s, not 1 s as after a body that ran for ten minutes.
    expect(again).toMatchObject({ phase: 'backoff', next_retry_at: formatInstant(NOW + 3000) });
  });

  test.each([-2 * HOUR, 2 * HOUR])(
    'the start deadline goes by our clock, whatever that of the engine says (%i ms)',
    (skew) => {
      const body = { started_at: NOW - 1000 + skew };
      expect(decideShort({ ...booting, body }).phase).toBe('booting');
      expect(decideShort({ ...booting, body, now: NOW + 118_000 }).phase).toBe('booting');
      expect(decideShort({ ...booting, body, now: NOW + 119_001 })).toMatchObject({
        reason: 'StartDeadlineExceeded',
      });
    },
  );

  test.each([-2 * HOUR, 2 * HOUR])(
    'an ended worker is kept for as long as it says, from when its end was seen (%i ms)',
    (skew) => {
      const spec = { keep_finished_seconds: 3600 };
      const running = inState({ RUNNING: 'ready' }, { expected: true, running_since: NOW - 3 * HOUR });
      const exited = { state: 'exited', exit_code: 3, finished_at: NOW + skew } as const;
      const ended = decideShort({ ...running, body: exited, spec });
      expect(ended).toMatchObject({ status: 'FAILED', finished_at: formatInstant(NOW + skew) });
      const later = (now: number) => decideShort({ memo: ended.memo, spec, now }).rule;
      expect([later(NOW + HOUR - 1), later(NOW + HOUR)]).toEqual(['otherwise', 'kept long enough']);
    },
  );
});
