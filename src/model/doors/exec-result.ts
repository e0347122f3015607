/** How a process that was started for a client ended, in one word for metrics. Without zod, because bodies load it. */

export const EXEC_RESULTS = [
  'success',
  'failure',
  'signal',
  'timeout',
  'oom',
  'refused',
  'detached',
  'error',
] as const;
export type ExecResult = (typeof EXEC_RESULTS)[number];

/** The header or trailer in which a body reports it to its manager. */
export const EXEC_RESULT = 'x-exec-result';
