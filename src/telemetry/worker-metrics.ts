import { AGENT_TYPES, type AgentType, type RuntimeName, type WorkerStatus } from '../model/index.ts';
import type { Instruments } from './instruments.ts';

/**
 * From a create that claims a warm body (2 ms at the median) to the longest time that an image may take to boot before
 * people investigate. A cold start takes 0.1 to 0.5 s (bench/docker-spawn.ts, bench/warm.ts), and 30 s is the objective of the
 * alerts.
 */
const SPAWN = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60, 120, 300];
/** A wrapper renews its heartbeat every 5 s. */
const HEARTBEAT = [1, 2.5, 5, 7.5, 10, 15, 30, 60, 300];

/**
 * Reasons on which an operator acts. They are exposed from the start, so that their first occurrence is an increase.
 */
const REASONS = [
  'StartDeadlineExceeded',
  'ImageBuildFailed',
  'Capacity',
  'StartFailed',
  'CreateFailed',
  'OOMKilled',
  'HungBody',
  'HungTask',
  'Lost',
  'Killed',
  'Error',
  'WorkspaceFull',
  'WorkspaceSourceFailed',
  'CheckpointFailed',
];

/** Metrics of workers: how many there are, how they start, and how they end. */
export function workerMetrics({ counter, gauge, histogram }: Instruments) {
  const restarts = counter<{ reason: string }>(
    'restarts_total',
    'Number of bodies created to replace one that ended, by the reason of its end.',
    ['reason'],
  );
  const workersFailed = counter<{ reason: string }>(
    'workers_failed_total',
    'Number of workers that failed for good and are not restarted, by reason.',
    ['reason'],
  );
  const startFailures = counter<{ reason: string }>(
    'start_failures_total',
    'Number of first bodies of workers that ended before the worker was RUNNING, by reason; without those that a command ended.',
    ['reason'],
  );
  for (const reason of REASONS)
    for (const metric of [restarts, workersFailed, startFailures]) metric.inc(0, { reason });
  const permissionDenied = counter<{ agent_type: AgentType }>(
    'permission_denied_total',
    "Number of agents' commands that were denied.",
    ['agent_type'],
  );
  for (const agent_type of AGENT_TYPES) permissionDenied.inc(0, { agent_type });
  return {
    restarts,
    workersFailed,
    startFailures,
    workers: gauge<{ status: WorkerStatus; runtime: RuntimeName; agent_type: AgentType }>(
      'workers',
      'Number of workers, by observed status.',
      ['status', 'runtime', 'agent_type'],
    ),
    workersByReason: gauge<{ status: WorkerStatus; reason: string }>(
      'workers_by_reason',
      'Number of workers that have a reason in their status, such as HeartbeatLost, Queued or ImageBuildFailed.',
      ['status', 'reason'],
    ),
    crashLooping: gauge(
      'crash_looping_workers',
      'Number of workers that are STARTING again after at least three failures in a row.',
      [],
    ),
    oldestStart: gauge<{ phase: string }>(
      'starting_oldest_seconds',
      'Time since which the oldest STARTING worker in a phase has been STARTING, without interruption.',
      ['phase'],
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
    oomKills: counter(
      'oom_kills_total',
      'Number of bodies that were killed because they exceeded their memory limit.',
      [],
    ),
    permissionDenied,
    heartbeatAge: histogram(
      'heartbeat_age_seconds',
      'Age of the last heartbeat of each running worker, at each full list.',
      [],
      HEARTBEAT,
    ),
  };
}
