import type { Decision, Observation, StatusRecord } from '../model/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** The phases of a first body until it is RUNNING. */
const SPAWN_PHASES: ReadonlySet<string> = new Set(['building', 'creating', 'booting', 'ready']);

/** Updates the metrics for a decision about a worker, once it is recorded. */
export function countRecorded(
  metrics: Pick<
    Metrics,
    'restarts' | 'imageCacheHits' | 'oomKills' | 'workersFailed' | 'startFailures' | 'spawnDuration'
  >,
  observation: Observation,
  decision: Decision,
): void {
  const { status } = decision;
  const before = observation.status;
  if (status.restarts > (before?.restarts ?? 0))
    metrics.restarts.inc(1, { reason: before?.reason || 'Unknown' });
  const makes = decision.intents.some(({ type }) => type === 'create');
  if (makes && observation.image?.kind === 'ready' && before?.phase !== 'building')
    metrics.imageCacheHits.inc(1);
  if (status.reason === 'OOMKilled' && before?.reason !== 'OOMKilled') metrics.oomKills.inc(1);
  if (status.status === 'FAILED' && before?.status !== 'FAILED')
    metrics.workersFailed.inc(1, { reason: status.reason || 'Unknown' });
  if (isStartFailure(before, status)) metrics.startFailures.inc(1, { reason: status.reason || 'Unknown' });
  if (status.phase === before?.phase || status.incarnation !== 1 || !SPAWN_PHASES.has(status.phase)) return;
  const seconds = Math.max(0, observation.now - Date.parse(observation.desired.created_at)) / 1000;
  metrics.spawnDuration.observe(seconds, { phase: status.phase, runtime: status.runtime });
}

/** The first body ended before it was ready, and no command wanted that. */
function isStartFailure(
  before: StatusRecord | undefined,
  { status, phase, incarnation }: StatusRecord,
): boolean {
  const failed = status === 'FAILED' || phase === 'backoff';
  const started = before !== undefined && (before.status !== 'STARTING' || before.phase === 'backoff');
  return failed && !started && incarnation === 1;
}
