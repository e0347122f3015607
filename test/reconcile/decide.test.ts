import { describe, expect, test } from 'vitest';
import { formatInstant, type StatusRecord } from '../../src/model/index.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { bodyOf, type Given, INCARNATION, lifeOf, look, memoOf, NOW, statusOf } from './observation.ts';

const inState = (value: unknown, life = {}) => ({ memo: memoOf(value, lifeOf(life)) });
const told = (given: Given) => {
  const { status, intents, rule, memo } = decide(look(given));
  return { ...status, rule, acts: intents.map(({ type }) => type), value: memo.value, memo };
};

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
      const after = told({ memo, status: was(status), spec: { restart_policy: 'always' } });
      expect(after.acts).not.toContain('create');
      expect(after).toMatchObject({ ...status, incarnation: INCARNATION, exit_code: 3 });
    });

    test('starts an ended worker again if a later command requests it', () => {
      const status = was({ status: 'FAILED', phase: 'finished' });
      const after = told({ memo, status, desired: { generation: 2 } });
      expect(after).toMatchObject({ incarnation: INCARNATION + 1, restarts: 0, phase: 'creating' });
      expect(told({ memo: after.memo, desired: { generation: 2 } }).acts).toEqual(['create']);
    });

    test('adopts a running body with its own incarnation', () => {
      const after = told({ memo, status: living, body: {} });
      expect(after).toMatchObject({ acts: [], incarnation: INCARNATION, restarts: 1, phase: 'booting' });
      const heard = told({ memo, status: living, body: {}, beat: {} });
      expect(heard).toMatchObject({ acts: [], incarnation: INCARNATION, restarts: 1, phase: 'ready' });
      const running_at = formatInstant(NOW - 14_000);
      const next = told({ memo: after.memo, status: { ...living, running_at }, body: {}, beat: {} });
      expect(next, 'since when is known by the clock that wrote it').toMatchObject({
        status: 'RUNNING',
        running_at,
      });
    });

    test('reports a body that was alive as lost, instead of creating another one', () => {
      for (const phase of ['ready', 'silent', 'stopping', 'booting']) {
        const status = was({ status: phase === 'booting' ? 'STARTING' : 'RUNNING', phase });
        expect(told({ memo, status }), phase).toMatchObject({ acts: [], status: 'FAILED', reason: 'Lost' });
        const again = told({ memo, status, spec: { restart_policy: 'always' } });
        expect(again, phase).toMatchObject({ phase: 'backoff', incarnation: INCARNATION });
      }
    });

    test('reports the end of a body that has exited meanwhile', () => {
      const after = told({ memo, status: living, body: { state: 'exited', exit_code: 3 } });
      expect(after).toMatchObject({ status: 'FAILED', reason: 'Error', exit_code: 3 });
    });

    test('waits out a backoff, and counts the restart once', () => {
      const status = was({ phase: 'backoff', next_retry_at: formatInstant(NOW + 2000) });
      const waiting = told({ memo, status, spec: { restart_policy: 'always' } });
      expect(waiting).toMatchObject({ acts: [], phase: 'backoff', next_retry_at: formatInstant(NOW + 2000) });
      const due = told({ memo: waiting.memo, status, now: NOW + 2000 });
      expect(due).toMatchObject({ incarnation: INCARNATION + 1, restarts: 2, phase: 'creating' });
      expect(told({ memo: due.memo, now: NOW + 2000 }).acts).toEqual(['create']);
    });

    test('continues to create a body that was not observed yet', () => {
      expect(told({ memo, status: undefined })).toMatchObject({ acts: ['create'], incarnation: 1 });
    });

    test('still ends a body that is not wanted', () => {
      const gone = { memo, status: living, desired: { desired: 'deleted', generation: 2 } as const };
      expect(told({ ...gone, body: {} })).toMatchObject({ acts: ['terminate'], phase: 'stopping' });
      expect(told({ ...gone, body: { state: 'exited' } })).toMatchObject({ acts: ['remove'] });
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
    const asked = told({ memo: undefined, status: given, body: { ...first, state: 'created' } });
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
    const boots = told({ memo, status: given, body: first, beat: { ...first, phase: 'booting' } });
    expect(boots).toMatchObject({ status: 'RUNNING', phase: 'booting', acts: [], incarnation: 1 });
    const ready = told({ memo: boots.memo, status: given, body: first, beat: first });
    expect(ready).toMatchObject({ status: 'RUNNING', phase: 'ready', running_at: formatInstant(NOW - 50) });
  });

  test('gets one of its own if that never worked, which does not count as a restart', () => {
    const policy = { spec: { restart_policy: 'never' } } as const;
    const without = told({ ...policy, memo: undefined, status: given });
    expect(without).toMatchObject({ status: 'STARTING', phase: 'creating', incarnation: 2, restarts: 0 });
    expect(without.running_at).toBeUndefined();
    const next = told({ ...policy, memo: without.memo, status: statusOf({ ...given, incarnation: 2 }) });
    expect(next).toMatchObject({ status: 'STARTING', acts: ['create'], incarnation: 2 });
  });

  test('is ended by its policy once its wrapper has reported, even if nothing else is remembered', () => {
    const policy = { spec: { restart_policy: 'never' } } as const;
    const spoke = told({ ...policy, memo: undefined, status: given, beat: first });
    expect(spoke).toMatchObject({ status: 'FAILED', reason: 'Lost', acts: [] });
    const booting = statusOf({ ...given, phase: 'booting' });
    expect(told({ ...policy, memo: undefined, status: booting })).toMatchObject({ status: 'FAILED' });
  });
});

describe('the status', () => {
  test('of an unchanged worker is the same at each observation', () => {
    const rows: [string, Given][] = [
      ['RUNNING', { ...inState({ RUNNING: 'ready' }, { expected: true }), body: {}, beat: {} }],
      ['backoff', { ...inState({ STARTING: 'backoff' }, { next_retry_at: NOW + 9000 }) }],
      ['FAILED', inState('FAILED', { outcome: { reason: 'Error', message: 'm', well: false, at: NOW } })],
    ];
    for (const [name, given] of rows) {
      const { memo, status } = decide(look(given));
      const again = decide(look({ ...given, memo, status }));
      expect(JSON.parse(JSON.stringify(again.status)), name).toEqual(JSON.parse(JSON.stringify(status)));
      expect(JSON.stringify(again.memo), name).toBe(JSON.stringify(memo));
    }
  });

  const running = inState({ RUNNING: 'ready' }, { expected: true, running_since: NOW - 15_000 });
  const exited = (more: object) => ({ ...running, body: { state: 'exited' as const, ...more } });

  test.each<[string, Given, Partial<StatusRecord> & { acts?: string[] }]>([
    [
      'says why the engine cannot be seen',
      { ...running, actual: { kind: 'unknown', error: 'no such socket' } },
      {
        status: 'RUNNING',
        reason: 'RuntimeUnavailable',
        message: 'no such socket',
      },
    ],
    [
      'names the bodies that are too many',
      { ...running, actual: { kind: 'ambiguous', ids: ['a', 'b'] } },
      {
        reason: 'AmbiguousBody',
        message: 'More than one body has its ID, and none is changed: a, b.',
      },
    ],
    [
      'quotes the last output of a body',
      exited({ exit_code: 3, tail: 'one\nno such model\n' }),
      {
        status: 'FAILED',
        reason: 'Error',
        exit_code: 3,
        message: 'It exited with code 3. Last output: no such model',
      },
    ],
    ['reports an out-of-memory kill', exited({ exit_code: 137, oom_killed: true }), { reason: 'OOMKilled' }],
    ['reports a kill from outside', exited({ exit_code: 137 }), { reason: 'Killed' }],
    ['reports a missing exit code', exited({}), { reason: 'Lost', exit_code: undefined }],
    [
      'reports a program that could not be started',
      exited({ exit_code: 127, error: 'no such program' }),
      {
        reason: 'StartFailed',
        message: 'no such program',
      },
    ],
    [
      'does not say StartFailed of a body that ran until its supervisor was killed with it',
      exited({ lost: { reason: 'SupervisorLost', message: 'It was killed with its supervisor.' } }),
      {
        status: 'FAILED',
        reason: 'SupervisorLost',
        exit_code: undefined,
        message: 'It was killed with its supervisor. Its exit code is unknown.',
      },
    ],
    [
      'distinguishes a body that never was ready from one that was',
      {
        ...inState({ STARTING: 'booting' }, { expected: true }),
        body: { state: 'exited', exit_code: 1 },
      },
      { message: 'It exited with code 1 before it was ready.' },
    ],
    [
      'reports that a body is gone',
      { ...running },
      {
        status: 'FAILED',
        reason: 'Lost',
        message: 'The body was removed externally.',
        body_id: undefined,
      },
    ],
    [
      'reports since when the wrapper was silent',
      {
        ...running,
        body: {},
        beat: { at: formatInstant(NOW - 31_000) },
      },
      {
        phase: 'silent',
        reason: 'HeartbeatLost',
        message: `The last report of its wrapper was at ${formatInstant(NOW - 31_000)}; silence alone does not end it.`,
      },
    ],
    ['has the pid of a direct body', { ...running, body: { pid: 4711 } }, { pid: 4711 }],
    [
      'of a finished worker has no address',
      exited({ exit_code: 0 }),
      {
        status: 'STOPPED',
        phase: 'cleaning',
        ip_address: undefined,
        acts: ['remove'],
      },
    ],
    [
      'keeps why it ended while the engine cannot be seen',
      {
        ...inState('FAILED', { outcome: { reason: 'Error', message: 'm', well: false, at: NOW } }),
        status: statusOf({ status: 'FAILED', phase: 'finished', reason: 'Error', message: 'm' }),
        actual: { kind: 'unknown', error: 'no such socket' },
      },
      { reason: 'Error', message: 'm' },
    ],
    [
      'of a body that was not ready in time says so, whatever it exited with',
      {
        ...inState(
          { STARTING: 'stopping' },
          {
            expected: true,
            generation: 1,
            ending: { reason: 'StartDeadlineExceeded', message: 'late', kill_at: NOW },
          },
        ),
        body: { state: 'exited', exit_code: 0 },
      },
      { status: 'FAILED', reason: 'StartDeadlineExceeded', exit_code: 0 },
    ],
  ])('%s', (_, given, expected) => {
    expect(told(given)).toMatchObject(expected);
  });
});

test('a worker that was stopped for being idle is not restarted, whatever its policy', () => {
  const spec = { idle_timeout_seconds: 60, restart_policy: 'always' } as const;
  const life = { expected: true, running_since: NOW - 90_000 };
  const beat = { active_at: formatInstant(NOW - 61_000) };
  const first = told({ ...inState({ RUNNING: 'ready' }, life), spec, body: {}, beat });
  expect(first).toMatchObject({ acts: ['terminate'], phase: 'stopping', reason: 'IdleTimeout' });
  const body = { state: 'exited', exit_code: 143 } as const;
  const second = told({ memo: first.memo, spec, body, beat });
  expect(second).toMatchObject({ status: 'STOPPED', reason: 'IdleTimeout', exit_code: 143 });
  expect(told({ memo: second.memo, spec }).acts).toEqual([]);
});

test('a start command for a finished worker that is about to be deleted is obeyed', () => {
  const kept = {
    ...inState('FAILED', { generation: 1, outcome: { reason: 'Error', message: '', well: false, at: 0 } }),
  };
  const forgotten = told(kept);
  expect(forgotten).toMatchObject({ acts: ['purge'], value: 'DELETED' });
  const started = told({ memo: forgotten.memo, desired: { generation: 2 } });
  expect(started).toMatchObject({ incarnation: INCARNATION + 1, phase: 'creating' });
  expect(told({ memo: started.memo, desired: { generation: 2 } }).acts).toEqual(['create']);
});

describe('a restart', () => {
  const desired = { generation: 2, min_incarnation: INCARNATION + 1 };
  const next = { incarnation: INCARNATION + 1, restarts: 0, status: 'STARTING', phase: 'creating' };

  test.each([
    ['ready', 'RUNNING'],
    ['booting', 'STARTING'],
  ] as const)('ends the body of a worker that is %s, and creates another one', (phase, status) => {
    const life = inState({ [status]: phase }, { expected: true });
    const asked = told({ ...life, desired, body: {}, beat: { phase } });
    expect(asked).toMatchObject({ acts: ['terminate'], status, phase: 'stopping', reason: 'Restarting' });
    const exited = { state: 'exited', exit_code: 143 } as const;
    const over = told({ memo: asked.memo, desired, body: exited });
    expect(over).toMatchObject({ ...next, acts: ['remove'] });
    expect(told({ memo: over.memo, desired, body: exited }).acts).toEqual(['remove']);
    const made = told({ memo: over.memo, desired });
    expect(made).toMatchObject({ ...next, acts: ['create'] });
    const again = told({ memo: made.memo, desired, body: { incarnation: INCARNATION + 1 }, beat: {} });
    expect(again).toMatchObject({ acts: [], phase: 'booting' });
  });

  test('is not lost with the memo', () => {
    const status = statusOf({ status: 'RUNNING', phase: 'stopping', observed_generation: 2 });
    expect(told({ memo: undefined, status, desired, body: {}, beat: {} }).acts).toEqual(['terminate']);
    expect(told({ memo: undefined, status, desired })).toMatchObject(next);
  });

  test('does not wait out a backoff, and starts an ended worker', () => {
    const backoff = inState({ STARTING: 'backoff' }, { next_retry_at: NOW + 9000 });
    expect(told({ ...backoff, desired })).toMatchObject(next);
    for (const state of ['STOPPED', 'FAILED'])
      expect(told({ ...inState(state, { generation: 1 }), desired }), state).toMatchObject(next);
  });

  test('yields to a stop that follows it', () => {
    const life = inState({ RUNNING: 'ready' }, { expected: true });
    const asked = told({ ...life, desired, body: {}, beat: {} });
    const stopped = { ...desired, generation: 3, desired: 'stopped' } as const;
    const ended = told({ memo: asked.memo, desired: stopped, body: { state: 'exited', exit_code: 0 } });
    expect(ended).toMatchObject({ status: 'STOPPED', reason: 'Stopped', incarnation: INCARNATION });
  });
});

test('a body that reported and is gone was lost, and is not created again unasked', () => {
  const heard = { ...inState({ STARTING: 'creating' }), beat: {} };
  expect(told(heard)).toMatchObject({ acts: [], status: 'FAILED', reason: 'Lost' });
  const before = { ...inState({ STARTING: 'creating' }), beat: { incarnation: INCARNATION - 1 } };
  expect(told(before).acts).toEqual(['create']);
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
    const asked = told({ ...creating, image: { kind: 'absent', name } });
    expect(asked).toMatchObject({ acts: ['build'], phase: 'building', reason: 'ImageBuilding' });
    const going = told({ memo: asked.memo, image: { kind: 'building', name, step: 'Step 2/9 : RUN x' } });
    expect(going).toMatchObject({ acts: [], phase: 'building', message: `${name}: Step 2/9 : RUN x` });
    const made = told({ memo: going.memo, image: { kind: 'ready', name } });
    expect(made).toMatchObject({ acts: ['create'], phase: 'creating' });
  });

  test('that cannot be built fails the try that waited for it, and the next one tries again', () => {
    const image = { kind: 'failed', name, at: NOW, reason: 'ImageBuildFailed', message: 'Step 2.' } as const;
    const spec = { restart_policy: 'always' } as const;
    const failed = told({ ...creating, image, spec });
    expect(failed).toMatchObject({
      acts: [],
      phase: 'backoff',
      reason: 'ImageBuildFailed',
      message: 'Step 2.',
    });
    const later = { image, spec, now: NOW + 60_000 };
    const due = told({ ...later, memo: failed.memo });
    expect(told({ ...later, memo: due.memo })).toMatchObject({ acts: ['build'], phase: 'building' });
  });

  test('of an engine that does not answer decides nothing', () => {
    const blind = told({ ...creating, image: { kind: 'unknown', error: 'timeout' } });
    expect(blind).toMatchObject({ acts: [], phase: 'creating', reason: 'RuntimeUnavailable' });
  });
});

test('secrets are delivered as often as the wrapper of this body requests them', () => {
  const booting = inState({ STARTING: 'booting' }, { expected: true });
  const beat = { phase: 'booting', needs_secrets: true } as const;
  expect(told({ ...booting, body: {}, beat }).acts).toEqual(['deliver']);
  expect(told({ ...booting, body: {}, beat: { ...beat, needs_secrets: false } }).acts).toEqual([]);
  expect(told({ ...booting, body: {}, beat: { ...beat, incarnation: INCARNATION - 1 } }).acts).toEqual([]);
});

describe('a worker that used up its restarts', () => {
  const code3 = { state: 'exited', exit_code: 3, finished_at: NOW - 1000 } as const;
  const ended = (spec: NonNullable<Given['spec']>, life = {}, more: Given = {}) =>
    told({
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

describe('clocks that do not agree', () => {
  const HOUR = 3_600_000;
  const booting = inState({ STARTING: 'booting' }, { expected: true, alive_since: NOW - 1000 });

  test('a wrapper whose clock is behind does not clear the backoff of a body that ran for a moment', () => {
    const ready = told({ ...booting, body: {}, beat: { ready_at: formatInstant(NOW - 2 * HOUR) } });
    expect(ready).toMatchObject({ phase: 'ready', running_at: formatInstant(NOW) });
    const exited = { state: 'exited', exit_code: 3 } as const;
    const again = told({
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
      expect(told({ ...booting, body }).phase).toBe('booting');
      expect(told({ ...booting, body, now: NOW + 118_000 }).phase).toBe('booting');
      expect(told({ ...booting, body, now: NOW + 119_001 })).toMatchObject({
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
      const ended = told({ ...running, body: exited, spec });
      expect(ended).toMatchObject({ status: 'FAILED', finished_at: formatInstant(NOW + skew) });
      const later = (now: number) => told({ memo: ended.memo, spec, now }).rule;
      expect([later(NOW + HOUR - 1), later(NOW + HOUR)]).toEqual(['otherwise', 'kept long enough']);
    },
  );
});
