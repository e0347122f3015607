/**
 * The metrics for Prometheus: one typed instrument for each name that other programs rely on.
 *
 * Invariants: base units (seconds, bytes), no IDs in labels, no registry shared between two managers of one process.
 * Must not import any other folder but the model.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { AgentType, CommandName, FaultCode, RuntimeName, WorkerStatus } from '../model/index.ts';
import { createInstruments } from './instruments.ts';
import { taskMetrics } from './task-metrics.ts';
import { webhookMetrics } from './webhook-metrics.ts';

/** Buckets in seconds. The last one, 300 s, is the longest that an image may take to boot before people investigate. */
const SPAWN = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
/** From a stream that is read immediately to a manager that was down for an hour. */
const LAG = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600, 3600];
const PASS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];
/** From a build with all layers cached to one that installs everything over a slow connection. */
const BUILD = [1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 1800];
/** A wrapper renews its heartbeat every 5 s. */
const HEARTBEAT = [1, 2.5, 5, 7.5, 10, 15, 30, 60, 300];

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

    workers: gauge<{ status: WorkerStatus; runtime: RuntimeName; agent_type: AgentType }>(
      'workers',
      'Number of workers, by observed status.',
      ['status', 'runtime', 'agent_type'],
    ),
    desiredWorkers: gauge(
      'desired_workers',
      'Number of workers that should run and have not ended for good.',
      [],
    ),
    queuedWorkers: gauge<{ runtime: RuntimeName }>(
      'queued_workers',
      'Number of workers that wait to start.',
      ['runtime'],
    ),
    spawnDuration: histogram<{ phase: string; runtime: RuntimeName }>(
      'spawn_duration_seconds',
      'Time from accepting a create to each phase that the worker reached.',
      ['phase', 'runtime'],
      SPAWN,
    ),
    restarts: counter<{ reason: string }>(
      'restarts_total',
      'Number of bodies created to replace one that ended, by the reason of its end.',
      ['reason'],
    ),
    oomKills: counter(
      'oom_kills_total',
      'Number of bodies that were killed because they exceeded their memory limit.',
      [],
    ),
    workersFailed: counter<{ reason: string }>(
      'workers_failed_total',
      'Number of workers that failed for good and are not restarted, by reason.',
      ['reason'],
    ),
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
    runtimeCallDuration: histogram<{ runtime: RuntimeName; call: string; result: 'ok' | 'error' }>(
      'runtime_call_duration_seconds',
      'Duration of a call to a runtime.',
      ['runtime', 'call', 'result'],
      PASS,
    ),
    loopBlocked: gauge(
      'loop_blocked_seconds',
      'Time for which the main loop has been blocked; all other metrics are that old.',
      [],
    ),
    redisUp: gauge('redis_up', '1 if Redis responds, otherwise 0.', []),
    redisHazard: gauge<{ hazard: 'eviction' | 'no_persistence' }>(
      'redis_hazard',
      '1 if Redis may lose data for this reason, 0 if not or unknown.',
      ['hazard'],
    ),
    runtimeUp: gauge<{ runtime: RuntimeName }>('runtime_up', '1 if the runtime responds, otherwise 0.', [
      'runtime',
    ]),
    imageBuilds: counter<{ result: 'ok' | 'failed' | 'capacity' }>(
      'image_builds_total',
      'Number of finished builds of worker images, by result.',
      ['result'],
    ),
    imageBuildDuration: histogram(
      'image_build_duration_seconds',
      'Duration of the build of an image.',
      [],
      BUILD,
    ),
    imageCacheHits: counter(
      'image_cache_hits_total',
      'Number of workers whose image existed, so that no build was necessary.',
      [],
    ),
    images: gauge('images', 'Number of worker images on the engine, at the last check.', []),
    imageBytes: gauge('image_bytes', 'Total size of worker images; shared layers are counted once.', []),
    imageGcRemoved: counter(
      'image_gc_removed_total',
      'Number of worker images that garbage collection removed.',
      [],
    ),
    permissionDenied: counter<{ agent_type: AgentType }>(
      'permission_denied_total',
      "Number of agents' commands that were denied.",
      ['agent_type'],
    ),
    ...taskMetrics(made),
    ...webhookMetrics(made),
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
    heartbeatAge: histogram(
      'heartbeat_age_seconds',
      'Age of the last heartbeat of each running worker, at each full list.',
      [],
      HEARTBEAT,
    ),
  };
  metrics.loopBlocked.set(0);
  gauge<{ version: string; node: string }>('build_info', 'Always 1; the labels contain the versions.', [
    'version',
    'node',
  ]).set(1, { version: options.version ?? 'unknown', node: process.version });
  return metrics;
}
