/**
 * What Prometheus is told: one typed instrument for each name that other programs rely on.
 *
 * What must always hold: base units (seconds, bytes), no ids in labels, no registry shared between two managers of
 * one process. Must not import anything of ours but the model.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { AgentType, CommandName, FaultCode, RuntimeName, WorkerStatus } from '../model/index.ts';
import { instruments } from './instruments.ts';
import { taskMetrics } from './task-metrics.ts';

/** Buckets in seconds. Spawns end at the longest that an image may take to boot before people look: 300 s. */
const SPAWN = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
/** From a stream that is read at once to a manager that was down for an hour. */
const LAG = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600, 3600];
const PASS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];
/** From a build that finds all its layers to one that installs everything over a slow line. */
const BUILD = [1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 1800];
/** A wrapper renews its heartbeat every 5 s. */
const HEARTBEAT = [1, 2.5, 5, 7.5, 10, 15, 30, 60, 300];

export type CommandResult = 'ok' | 'duplicate' | FaultCode;

/** Gauges of prom-client that are named like counters, which Prometheus's own check refuses; each has a twin without `_total`. */
const MISNAMED = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

export type Metrics = ReturnType<typeof createMetrics>;

/** `processMetrics: false` leaves out those of Node itself, which keep observers alive: for tests. */
export function createMetrics(options: { version?: string; processMetrics?: boolean } = {}) {
  const registry = new Registry();
  const made = instruments(registry, 'worker_manager_');
  const { counter, gauge, histogram } = made;
  const collectors: (() => void | Promise<void>)[] = [];
  // prom-client looks at the event loop every 10 ms by default, which doubles the cost of an idle manager.
  if (options.processMetrics ?? true) {
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 200 });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }

  const metrics = {
    /** Runs before each scrape, for what is cheaper to look up than to keep. What it throws fails the scrape. */
    beforeScrape: (collect: () => void | Promise<void>): void => void collectors.push(collect),
    contentType: registry.contentType,
    /** The text that Prometheus reads. */
    async text(): Promise<string> {
      for (const collect of collectors) await collect();
      return registry.metrics();
    },

    workers: gauge<{ status: WorkerStatus; runtime: RuntimeName; agent_type: AgentType }>(
      'workers',
      'Workers on record, by observed status.',
      ['status', 'runtime', 'agent_type'],
    ),
    desiredWorkers: gauge(
      'desired_workers',
      'Workers that are asked to run and have not ended for good.',
      [],
    ),
    queuedWorkers: gauge<{ runtime: RuntimeName }>(
      'queued_workers',
      'Workers that wait for their turn to start.',
      ['runtime'],
    ),
    spawnDuration: histogram<{ phase: string; runtime: RuntimeName }>(
      'spawn_duration_seconds',
      'Time from the acceptance of a create to each phase that the worker reached.',
      ['phase', 'runtime'],
      SPAWN,
    ),
    restarts: counter<{ reason: string }>(
      'restarts_total',
      'Bodies made for a worker in place of one that ended, by why that one ended.',
      ['reason'],
    ),
    oomKills: counter(
      'oom_kills_total',
      'Bodies that were killed because they used more memory than they may.',
      [],
    ),
    workersFailed: counter<{ reason: string }>(
      'workers_failed_total',
      'Workers that failed for good and are not restarted, by reason.',
      ['reason'],
    ),
    commands: counter<{ command: CommandName | 'unreadable'; result: CommandResult }>(
      'commands_total',
      'Commands that were answered, by name and outcome.',
      ['command', 'result'],
    ),
    unreadable: counter<{ kind: 'heartbeat' | 'label' }>(
      'unreadable_total',
      'What bodies and others wrote, and what was put aside because it could not be read.',
      ['kind'],
    ),
    commandLag: histogram(
      'command_lag_seconds',
      'Time from the writing of a command to its answer, by the clocks of Redis and the manager.',
      [],
      LAG,
    ),
    reconcile: counter<{ result: string }>('reconcile_total', 'Passes over a worker, by how they ended.', [
      'result',
    ]),
    reconcileErrors: counter(
      'reconcile_errors_total',
      'Passes over a worker that failed and are tried again.',
      [],
    ),
    reconcileDuration: histogram(
      'reconcile_duration_seconds',
      'Time that a pass over a worker took.',
      [],
      PASS,
    ),
    workqueueDepth: gauge('workqueue_depth', 'Depth of the reconcile queue.', []),
    workqueueOldest: gauge(
      'workqueue_oldest_seconds',
      'How long the worker that waits longest for a pass has waited.',
      [],
    ),
    resyncDuration: histogram(
      'resync_duration_seconds',
      'Time that a look at all workers and all bodies took.',
      [],
      PASS,
    ),
    leader: gauge('leader', '1 where this manager leads its cell, 0 where it stands by.', []),
    runtimeCallDuration: histogram<{ runtime: RuntimeName; call: string; result: 'ok' | 'error' }>(
      'runtime_call_duration_seconds',
      'Time that a call to a runtime took.',
      ['runtime', 'call', 'result'],
      PASS,
    ),
    loopBlocked: gauge(
      'loop_blocked_seconds',
      'For how long the main loop has not moved; all other metrics are as old.',
      [],
    ),
    redisUp: gauge('redis_up', '1 where Redis answers, else 0.', []),
    redisHazard: gauge<{ hazard: 'eviction' | 'no_persistence' }>(
      'redis_hazard',
      '1 if Redis may lose data for this reason, else 0, also if it does not tell.',
      ['hazard'],
    ),
    runtimeUp: gauge<{ runtime: RuntimeName }>('runtime_up', '1 where the runtime answers, else 0.', [
      'runtime',
    ]),
    imageBuilds: counter<{ result: 'ok' | 'failed' | 'capacity' }>(
      'image_builds_total',
      'Builds of images of workers that ended, by outcome.',
      ['result'],
    ),
    imageBuildDuration: histogram(
      'image_build_duration_seconds',
      'Time that the build of an image took.',
      [],
      BUILD,
    ),
    imageCacheHits: counter(
      'image_cache_hits_total',
      'Workers whose image was there already, so that none was built for them.',
      [],
    ),
    images: gauge('images', 'Images of workers on the engine, when they were last looked at.', []),
    imageBytes: gauge(
      'image_bytes',
      'Bytes of those images, with layers that several share counted once.',
      [],
    ),
    imageGcRemoved: counter('image_gc_removed_total', 'Images of workers that the collection removed.', []),
    permissionDenied: counter<{ agent_type: AgentType }>(
      'permission_denied_total',
      'Commands that an agent was refused.',
      ['agent_type'],
    ),
    ...taskMetrics(made),
    orphansRemoved: counter(
      'orphans_removed_total',
      'Bodies that were removed because no record asks for them.',
      [],
    ),
    adopted: counter('adopted_total', 'Bodies of an earlier manager that this one took over.', []),
    removalBreakerOpen: gauge(
      'removal_breaker_open',
      '1 while nothing is removed, because too large a share of all bodies would be; a person has to look.',
      [],
    ),
    heartbeatAge: histogram(
      'heartbeat_age_seconds',
      'Age of the last heartbeat of each running worker, at each look at all of them.',
      [],
      HEARTBEAT,
    ),
  };
  metrics.loopBlocked.set(0);
  gauge<{ version: string; node: string }>('build_info', 'Always 1; the versions are in the labels.', [
    'version',
    'node',
  ]).set(1, { version: options.version ?? 'unknown', node: process.version });
  return metrics;
}
