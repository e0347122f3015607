import type { RuntimeName } from '../model/index.ts';
import type { Instruments } from './instruments.ts';

/** As for a create (worker-metrics.ts): a canary is a cold start, two turns of an agent and a deletion. */
const STEP = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Metrics of the canary, the worker that is created every CANARY_SECONDS; none if it is off. */
export function canaryMetrics({ counter, gauge, histogram }: Instruments) {
  return {
    canaryRuns: counter<{ runtime: RuntimeName; result: string }>(
      'canary_runs_total',
      'Number of runs of the canary, by result: ok, capacity (no room for a worker), or the step that failed.',
      ['runtime', 'result'],
    ),
    canaryFailing: gauge<{ runtime: RuntimeName }>(
      'canary_failing',
      '1 if the last run of the canary on this runtime failed, otherwise 0; absent before the first.',
      ['runtime'],
    ),
    canaryDuration: histogram<{ runtime: RuntimeName; step: string }>(
      'canary_duration_seconds',
      'Time from the create of a canary to the end of each step: ready, first_output, exec, deleted.',
      ['runtime', 'step'],
      STEP,
    ),
  };
}
