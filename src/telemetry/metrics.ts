/**
 * The metrics for Prometheus: one typed instrument for each name that other programs rely on.
 *
 * Invariants: base units (seconds, bytes), no IDs in labels, no registry shared between two managers of one process.
 * Must not import any other folder but the model.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { CommandName, FaultCode } from '../model/index.ts';
import { canaryMetrics } from './canary-metrics.ts';
import { checkpointMetrics } from './checkpoint-metrics.ts';
import { dependencyMetrics } from './dependency-metrics.ts';
import { execMetrics } from './exec-metrics.ts';
import { httpMetrics } from './http-metrics.ts';
import { createInstruments } from './instruments.ts';
import { taskMetrics } from './task-metrics.ts';
import { webhookMetrics } from './webhook-metrics.ts';
import { workerMetrics } from './worker-metrics.ts';

/** From a stream that is read immediately to a manager that was down for an hour. */
const LAG = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600, 3600];
/** From a reconcile that finds nothing to do to one that is abandoned (30 s). */
const PASS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

export type CommandResultLabel = 'ok' | 'duplicate' | FaultCode;

/**
 * prom-client gauges that are named like counters, which Prometheus's own check rejects; each has a twin without
 * `_total`.
 */
const MISNAMED = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

export type Metrics = ReturnType<typeof createMetrics>;

/** `processMetrics: false` leaves out Node's own metrics, which keep observers alive; for tests. */
export function createMetrics(options: { version?: string; processMetrics?: boolean } = {}) {
  const registry = new Registry();
  const made = createInstruments(registry, 'worker_manager_');
  const { counter, gauge, histogram } = made;
  const collectors: (() => void | Promise<void>)[] = [];
  // prom-client samples the event loop every 10 ms by default, which doubles the cost of an idle manager.
  if (options.processMetrics ?? true) {
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 200 });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }

  const metrics = {
    /**
     * Runs before each scrape, for values that are cheaper to compute than to maintain. An exception fails the scrape.
     */
    beforeScrape: (collect: () => void | Promise<void>): void => void collectors.push(collect),
    contentType: registry.contentType,
    /** The metrics in Prometheus's text format. */
    async text(): Promise<string> {
      for (const collect of collectors) await collect();
      return registry.metrics();
    },

    commands: counter<{ command: CommandName | 'unreadable'; result: CommandResultLabel }>(
      'commands_total',
      'Number of commands answered, by name and result.',
      ['command', 'result'],
    ),
    unreadable: counter<{ kind: 'heartbeat' | 'label' }>(
      'unreadable_total',
      'Number of heartbeats and labels that could not be parsed and were ignored.',
      ['kind'],
    ),
    commandLag: histogram(
      'command_lag_seconds',
      'Time from writing a command to its response, by the clocks of Redis and the manager.',
      [],
      LAG,
    ),
    reconcile: counter<{ result: string }>('reconcile_total', 'Number of reconciles of workers, by result.', [
      'result',
    ]),
    reconcileErrors: counter(
      'reconcile_errors_total',
      'Number of reconciles of workers that failed and are retried.',
      [],
    ),
    reconcileDuration: histogram(
      'reconcile_duration_seconds',
      'Duration of a reconcile of a worker.',
      [],
      PASS,
    ),
    workqueueDepth: gauge('workqueue_depth', 'Depth of the reconcile queue.', []),
    workqueueOldest: gauge(
      'workqueue_oldest_seconds',
      'Time that the oldest entry has waited in the reconcile queue.',
      [],
    ),
    resyncDuration: histogram(
      'resync_duration_seconds',
      'Duration of a full list of all workers and bodies.',
      [],
      PASS,
    ),
    leader: gauge('leader', '1 if this manager leads its cell, 0 if it is on standby.', []),
    openConnections: gauge<{ kind: string }>(
      'open_connections',
      'Number of open requests to and connections with the bodies of workers, by what they are for.',
      ['kind'],
    ),
    ...httpMetrics(made),
    ...execMetrics(made),
    ...checkpointMetrics(made),
    loopBlocked: gauge(
      'loop_blocked_seconds',
      'Time for which the main loop has been blocked; all other metrics are that old.',
      [],
    ),
    loopQuiet: gauge(
      'loop_quiet_seconds',
      'Time since the last activity of the leader: a reconcile while workers wait for one, or a full list. 0 if it does not lead.',
      [],
    ),
    loopQuietLimit: gauge(
      'loop_quiet_limit_seconds',
      'Limit of loop_quiet_seconds, above which /readyz fails: a minute more than three times RESYNC_SECONDS.',
      [],
    ),
    ...workerMetrics(made),
    ...dependencyMetrics(made),
    ...taskMetrics(made),
    ...webhookMetrics(made),
    ...canaryMetrics(made),
    orphansRemoved: counter(
      'orphans_removed_total',
      'Number of bodies that were removed because no worker record exists for them.',
      [],
    ),
    adopted: counter(
      'adopted_total',
      'Number of bodies of an earlier manager that this manager adopted.',
      [],
    ),
    removalBreakerOpen: gauge(
      'removal_breaker_open',
      '1 while removals are suspended because too large a share of all bodies would be removed; requires an operator.',
      [],
    ),
  };
  metrics.loopBlocked.set(0);
  metrics.httpRefused.inc(0);
  for (const kind of ['heartbeat', 'label'] as const) metrics.unreadable.inc(0, { kind });
  gauge<{ version: string; node: string }>('build_info', 'Always 1; the labels contain the versions.', [
    'version',
    'node',
  ]).set(1, { version: options.version ?? 'unknown', node: process.version });
  return metrics;
}
