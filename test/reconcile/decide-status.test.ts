import { describe, expect, test } from 'vitest';
import { formatInstant, type StatusRecord } from '../../src/model/index.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { decideShort, inState } from './decide-short.ts';
import { type Given, look, NOW, statusOf } from './observation.ts';

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
    expect(decideShort(given)).toMatchObject(expected);
  });
});
