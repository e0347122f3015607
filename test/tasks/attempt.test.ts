import { describe, expect, it, vi } from 'vitest';
import { TaskError } from '../../src/model/task/task-error.ts';
import { Attempt, type AttemptOutcome } from '../../src/tasks/consumer/attempt.ts';
import type { RunningTask, RunTask } from '../../src/tasks/index.ts';

const task = (timeout_seconds = 60): RunningTask => ({
  task_id: 't',
  payload: { command: ['true'] },
  priority: 'normal',
  attempt: 1,
  timeout_seconds,
  queued_at: '2026-01-01T00:00:00.000Z',
});
const run = (attempt: Attempt, runner: RunTask, timeout?: number, grace = 60_000): Promise<AttemptOutcome> =>
  attempt.run(task(timeout), runner, () => undefined, grace);
/** Ends as soon as it is aborted. */
const obedient: RunTask = (_task, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });

describe('an attempt', () => {
  it.each<[string, RunTask, object]>([
    ['a value', async () => 4, { kind: 'done', value: 4 }],
    ['nothing', async () => undefined, { kind: 'done', value: undefined }],
    [
      'an error',
      async () => {
        throw new RangeError('too far');
      },
      { kind: 'failed', failure: { type: 'RangeError', message: 'too far' }, retry: true },
    ],
    [
      'an error before a promise',
      () => {
        throw new TaskError({ type: 'KeyError', message: 'x', traceback: 'T' }, { retry: false });
      },
      { kind: 'failed', failure: { type: 'KeyError', message: 'x', traceback: 'T' }, retry: false },
    ],
    [
      'something odd',
      () => Promise.reject('odd'),
      { kind: 'failed', failure: { type: 'Error', message: 'odd' } },
    ],
  ])('that ends with %s', async (_name, runner, outcome) => {
    expect(await run(new Attempt(), runner)).toMatchObject(outcome);
  });

  it('fails at its timeout, and may be made again', async () => {
    expect(await run(new Attempt(), obedient, 0.01)).toMatchObject({
      kind: 'failed',
      retry: true,
      failure: { type: 'Timeout', message: expect.stringContaining('0.01 s') },
    });
  });

  it.each([
    ['cancelled', { kind: 'failed', failure: { type: 'Cancelled', message: 'why' }, retry: false }],
    ['lost', { kind: 'lost' }],
    ['ending', { kind: 'ending' }],
  ] as const)('that is %s', async (kind, outcome) => {
    const attempt = new Attempt();
    const ended = run(attempt, obedient);
    attempt.abort(kind, 'why');
    attempt.abort('timeout', 'the first reason counts');
    expect(await ended).toEqual(outcome);
  });

  it('keeps a result that arrived after an abort, but not after its lock was lost', async () => {
    const outcomes = await Promise.all(
      (['cancelled', 'ending', 'lost'] as const).map((kind) => {
        const attempt = new Attempt();
        const { promise, resolve } = Promise.withResolvers();
        const ended = run(attempt, () => promise);
        attempt.abort(kind, 'why');
        resolve('late');
        return ended;
      }),
    );
    expect(outcomes).toEqual([
      { kind: 'done', value: 'late' },
      { kind: 'done', value: 'late' },
      { kind: 'lost' },
    ]);
  });

  it('waits for a stubborn runner only for its grace period, and reports its later end', async () => {
    const attempt = new Attempt();
    const { promise, resolve } = Promise.withResolvers();
    const ended = run(attempt, () => promise, 60, 10);
    attempt.abort('cancelled', 'why');
    expect(await ended).toMatchObject({ kind: 'failed', failure: { type: 'Cancelled' } });
    const settled = vi.fn();
    void attempt.settled.then(settled);
    await Promise.resolve();
    expect(settled).not.toHaveBeenCalled();
    resolve('very late');
    await attempt.settled;
    expect(settled).toHaveBeenCalled();
  });

  it('receives no abort after its end', async () => {
    const attempt = new Attempt();
    let signal: AbortSignal | undefined;
    await run(attempt, async (_task, controls) => {
      signal = controls.signal;
    });
    attempt.abort('lost', 'why');
    expect(signal?.aborted).toBe(false);
  });
});
