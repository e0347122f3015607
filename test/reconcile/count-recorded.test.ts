import { expect, test } from 'vitest';
import { countRecorded } from '../../src/reconcile/count-recorded.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { lifeOf, look, memoOf, statusOf } from './observation.ts';

// Nothing counted workers that failed for good.
test.each([
  ['never', { exit_code: 3 }, 'Error'],
  ['never', { exit_code: 137, oom_killed: true }, 'OOMKilled'],
  ['always', { exit_code: 3 }, undefined],
] as const)(
  'with restart policy %s, a body that ended with %o is counted as %s',
  async (policy, end, reason) => {
    const metrics = createMetrics({ processMetrics: false });
    const observation = look({
      spec: { restart_policy: policy },
      status: statusOf({ status: 'RUNNING', phase: 'ready' }),
      memo: memoOf({ RUNNING: 'ready' }, lifeOf({ expected: true })),
      body: { state: 'exited', ...end },
    });
    const decision = decide(observation);
    countRecorded(metrics, observation, decision);
    // Another reconcile of a failed worker does not count it again.
    countRecorded(metrics, { ...observation, status: decision.status }, decision);
    const series = (await metrics.text()).match(/^worker_manager_workers_failed_total\{.* [^0]\d*$/gm) ?? [];
    expect(series).toEqual(reason ? [`worker_manager_workers_failed_total{reason="${reason}"} 1`] : []);
  },
);

const BOOTING = { status: 'STARTING', phase: 'booting' } as const;
test.each([
  ['a first body that ends before it is ready', BOOTING, 'never', { oom_killed: true }, 'OOMKilled'],
  ['one that is replaced', BOOTING, 'always', { oom_killed: true }, 'OOMKilled'],
  ['one that was ready', { status: 'RUNNING', phase: 'ready' }, 'never', {}, undefined],
  ['a later one', { ...BOOTING, incarnation: 2, restarts: 1 }, 'never', {}, undefined],
] as const)('%s: counted as a failed start or not', async (_, status, policy, end, reason) => {
  const metrics = createMetrics({ processMetrics: false });
  const incarnation = 'incarnation' in status ? status.incarnation : 1;
  const phase = { [status.status]: status.phase };
  const observation = look({
    spec: { restart_policy: policy },
    status: statusOf(status),
    memo: memoOf(phase, lifeOf({ expected: true, incarnation })),
    body: { state: 'exited', exit_code: 137, incarnation, ...end },
  });
  const decision = decide(observation);
  countRecorded(metrics, observation, decision);
  countRecorded(metrics, { ...observation, status: decision.status }, decision);
  const series = (await metrics.text()).match(/^worker_manager_start_failures_total\{.* [^0]\d*$/gm) ?? [];
  expect(series).toEqual(reason ? [`worker_manager_start_failures_total{reason="${reason}"} 1`] : []);
});
