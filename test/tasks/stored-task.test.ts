import { describe, expect, it } from 'vitest';
import { taskSubmission } from '../../src/model/task/task.ts';
import { type TaskViewReply, toView } from '../../src/tasks/list/view.ts';
import { readStored, retryBackoffMs, toFailure, toStored } from '../../src/tasks/stored-task.ts';

describe('backoff', () => {
  it.each([
    [1, 'fixed', 2, 60, 2000],
    [5, 'fixed', 2, 60, 2000],
    [1, 'exponential', 2, 60, 2000],
    [2, 'exponential', 2, 60, 4000],
    [5, 'exponential', 2, 60, 32_000],
    [6, 'exponential', 2, 60, 60_000],
    [101, 'exponential', 0.5, 60, 60_000],
    [9, 'exponential', 0, 60, 0],
  ] as const)(
    'after attempt %i, %s from %d s to %d s: %i ms',
    (made, type, delay_seconds, max_delay_seconds, ms) => {
      expect(retryBackoffMs(made, { type, delay_seconds, max_delay_seconds })).toBe(ms);
    },
  );

  it('doubles from one second by default', () => {
    expect([1, 2, 3, 100].map((made) => retryBackoffMs(made))).toEqual([1000, 2000, 4000, 300_000]);
    expect([1, 2].map((made) => retryBackoffMs(made, { delay_seconds: 2 }))).toEqual([2000, 4000]);
  });
});

describe('the stored form of a task', () => {
  const seen = (state: string, rank: string, fields: Record<string, string> = {}): TaskViewReply => {
    const names = [
      'timestamp',
      'processedOn',
      'finishedOn',
      'returnvalue',
      'failedReason',
      'opts',
      'priority',
      'ats',
    ];
    const all = { timestamp: '0', opts: '{"attempts":3}', priority: '2', ...fields } as Record<
      string,
      string
    >;
    return [state, rank, ...[...names, 'progress', 'pb', 'defa'].map((name) => all[name] ?? null)];
  };
  const failure = JSON.stringify({ type: 'ValueError', message: 'no' });
  const cancelled = JSON.stringify({ type: 'Cancelled', message: 'no more' });

  it.each([
    [
      'queued',
      seen('queued', '4'),
      { status: 'queued', started_at: null, attempts: 0, priority: 'high', max_retries: 2 },
    ],
    [
      'waiting for its backoff',
      seen('delayed', '5000', { failedReason: failure, ats: '1', processedOn: '1000' }),
      {
        status: 'queued',
        error: null,
        last_error: { type: 'ValueError' },
        next_attempt_at: '1970-01-01T00:00:05.000Z',
      },
    ],
    [
      'running again after an error',
      seen('running', '0', {
        failedReason: failure,
        ats: '2',
        processedOn: '6000',
        pb: 'w',
        progress: '{"at":1}',
      }),
      { status: 'running', error: null, worker_id: 'w', attempts: 2, progress: { at: 1 }, cancelled: false },
    ],
    [
      'running and asked to end',
      seen('running', '0', { defa: cancelled, ats: '1', processedOn: '1' }),
      { status: 'running', cancelled: true },
    ],
    [
      'completed after an error',
      seen('completed', '0', { failedReason: failure, returnvalue: '[1]', finishedOn: '7000', ats: '2' }),
      {
        status: 'completed',
        result: [1],
        error: null,
        completed_at: '1970-01-01T00:00:07.000Z',
        cancelled: false,
      },
    ],
    [
      'completed before its cancellation arrived',
      seen('completed', '0', { defa: cancelled, returnvalue: 'null', finishedOn: '7000' }),
      { status: 'completed', result: null, cancelled: false },
    ],
    [
      'failed',
      seen('failed', '0', { failedReason: failure, finishedOn: '7000' }),
      { status: 'failed', result: null, error: { type: 'ValueError', message: 'no' }, cancelled: false },
    ],
    [
      'cancelled',
      seen('failed', '0', { failedReason: cancelled, finishedOn: '7000' }),
      { status: 'failed', error: { type: 'Cancelled' }, cancelled: true },
    ],
    [
      'lost too often',
      seen('failed', '0', { failedReason: 'job stalled more than allowable limit', finishedOn: '7000' }),
      { status: 'failed', error: { type: 'WorkerLost' } },
    ],
  ])('%s', (_name, read, view) => {
    expect(toView('t', 'p', read)).toMatchObject(view);
    expect(toView('t', 'p', read)).toHaveProperty(
      'error',
      (view as { error?: unknown }).error ? expect.anything() : null,
    );
  });

  it('shows a foreign failure unchanged, and never throws', () => {
    for (const text of ['', '{', 'Error: x', 'null', '[]', '{"type":1,"message":"a"}', '[['.repeat(1e5)])
      expect(toFailure(text)).toMatchObject({ type: 'Error', message: expect.stringMatching(/./) });
  });

  const deep = `${'['.repeat(501)}${']'.repeat(501)}`;
  const good = { payload: { function: 'f' } };
  it.each([
    ['', 'not JSON'],
    ['{', 'not JSON'],
    ['null', 'must be a JSON object'],
    ['[]', 'must be a JSON object'],
    ['{}', 'payload must be {function'],
    [`{"payload":{"function":"f","args":${deep}}}`, 'nested too deeply'],
    [JSON.stringify({ payload: [] }), 'payload must be {function'],
    [JSON.stringify({ payload: {} }), 'one of function, command and prompt'],
    [JSON.stringify({ payload: { function: 'f', command: ['a'] } }), 'one of function, command and prompt'],
    [JSON.stringify({ payload: { function: 7 } }), 'payload.function must be a string'],
    [JSON.stringify({ payload: { function: 'f', args: {} } }), 'payload.args must be a list'],
    [JSON.stringify({ payload: { function: 'f', kwargs: [] } }), 'payload.kwargs must be an object'],
    [JSON.stringify({ payload: { command: [] } }), 'payload.command must be a list of strings'],
    [JSON.stringify({ payload: { command: 'ls' } }), 'payload.command must be a list of strings'],
    [JSON.stringify({ payload: { command: ['ls', 1] } }), 'payload.command must be a list of strings'],
    [JSON.stringify({ payload: { prompt: null } }), 'payload.prompt must be a string'],
    [JSON.stringify({ ...good, timeout_seconds: '9' }), 'timeout_seconds must be a number'],
    [JSON.stringify({ ...good, timeout_seconds: 1e9 }), 'timeout_seconds must be a number'],
    [JSON.stringify({ ...good, max_losses: -1 }), 'max_losses must be a number'],
    [JSON.stringify({ ...good, backoff: 'fixed' }), 'backoff must be an object'],
    [JSON.stringify({ ...good, backoff: { type: 'odd' } }), 'backoff.type must be'],
    [
      JSON.stringify({ ...good, backoff: { type: 'fixed', delay_seconds: -1 } }),
      'backoff.delay_seconds must be',
    ],
  ])('refuses %s, and says why', (text, reason) => {
    expect(readStored(text)).toContain(reason);
  });

  it('reads what submit writes', () => {
    const task = taskSubmission.parse({ ...good, backoff: {}, timeout_seconds: 3, max_losses: 0 });
    expect(readStored(toStored(task))).toEqual(JSON.parse(toStored(task)));
  });

  it('shows a task that is completely unreadable', () => {
    const junk = seen('completed', 'x', {
      timestamp: 'x',
      processedOn: '1e99',
      finishedOn: '-1',
      returnvalue: '{',
      opts: 'null',
      priority: 'high',
      ats: '{}',
      progress: '[',
      defa: '{',
    });
    expect(toView('t', 'p', junk)).toMatchObject({
      status: 'completed',
      result: null,
      error: { type: 'Unreadable' },
      attempts: 0,
      max_retries: 0,
      queued_at: '1970-01-01T00:00:00.000Z',
      started_at: null,
      progress: null,
      priority: 'normal',
    });
  });
});

it('a backoff that another program wrote without all of its fields has their defaults', () => {
  const text = JSON.stringify({
    payload: { function: 'f' },
    backoff: { type: 'fixed', delay_seconds: 0.01 },
  });
  const read = readStored(text);
  expect(typeof read === 'string' ? read : retryBackoffMs(3, read.backoff)).toBe(10);
});
