import { EXEC_RESULTS, type ExecResult } from '../model/doors/exec-result.ts';
import type { Instruments } from './instruments.ts';

/** From `true` to a build that runs for an hour, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600, 3600];

/** The metrics of commands that clients run in workers. */
export function execMetrics({ counter, histogram }: Instruments) {
  const execs = counter<{ result: ExecResult }>(
    'exec_total',
    'Number of commands that clients have run in workers, by result; `error` is one that was cut or not started.',
    ['result'],
  );
  for (const result of EXEC_RESULTS) execs.inc(0, { result });
  return {
    execs,
    execDuration: histogram(
      'exec_duration_seconds',
      'Duration of commands in workers that a client has waited for.',
      [],
      BUCKETS,
    ),
  };
}
