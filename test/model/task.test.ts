import { describe, expect, it } from 'vitest';
import { taskSubmission } from '../../src/model/task/task.ts';

const paths = (given: unknown): string[] => {
  const read = taskSubmission.safeParse(given);
  return read.success ? [] : read.error.issues.map(({ path }) => path.join('.'));
};
const payload = { function: 'render' };

describe('a task as it is submitted', () => {
  it('needs no more than a payload', () => {
    expect(taskSubmission.parse({ payload })).toEqual({ payload, priority: 'normal' });
    expect(taskSubmission.parse({ payload, backoff: {} }).backoff).toEqual({
      type: 'exponential',
      delay_seconds: 1,
      max_delay_seconds: 300,
    });
  });

  it.each([
    [{ payload: { function: 'reports.render', args: [1, null, { a: [] }], kwargs: { b: 2 } } }],
    [{ payload: { command: ['ls', '-l', ''] } }],
    [{ payload: { prompt: 'Hi' }, priority: 'critical', task_id: '2026-11-21.a_b' }],
    [{ payload, timeout_seconds: 0.5, max_retries: 100, max_losses: 0 }],
  ])('may be %j', (given) => {
    expect(paths(given)).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{}, 'payload'],
    [{ payload: {} }, 'payload'],
    [{ payload: { function: 'a', command: ['b'] } }, 'payload'],
    [{ payload: { function: 'os.system("x")' } }, 'payload'],
    [{ payload: { function: '' } }, 'payload'],
    [{ payload: { command: [] } }, 'payload'],
    [{ payload: { command: ['a\0b'] } }, 'payload'],
    [{ payload, priority: 'urgent' }, 'priority'],
    [{ payload, task_id: 'a:b' }, 'task_id'],
    [{ payload, task_id: '' }, 'task_id'],
    [{ payload, task_id: 'x'.repeat(129) }, 'task_id'],
    [{ payload, timeout_seconds: 0 }, 'timeout_seconds'],
    [{ payload, max_retries: -1 }, 'max_retries'],
    [{ payload, max_retries: 1.5 }, 'max_retries'],
    [{ payload, backoff: { delay_seconds: -1 } }, 'backoff.delay_seconds'],
    [{ payload, timeout: 5 }, ''],
  ])('may not be %j', (given, path) => {
    expect(paths(given).some((found) => found.startsWith(path)) && paths(given).length > 0).toBe(true);
  });
});
