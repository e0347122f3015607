import type { RunTask } from '../../src/tasks/index.ts';

export const functionName = (task: Parameters<RunTask>[0]) =>
  'function' in task.payload ? task.payload.function : '';
/** Runs until it is aborted. */
export const hold: RunTask = (_task, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
export const fastBackoff = { type: 'fixed', delay_seconds: 0.02, max_delay_seconds: 1 } as const;
