/** Whether and how one incarnation of a worker ended, and whether its restart policy gives it another one. Pure. */
import { type Observation, readableLine } from '../src/model/index.ts';
import {
  alive,
  body,
  buildFailed,
  overdue,
  ready,
  stale,
  unwanted,
  type WorkerOutcome,
  type WorkerState,
} from './conditions.ts';

/** What a wrapper reports that could not fetch the source of its workspace. */
const SOURCE_FAILED = 'WorkspaceSourceFailed';

/** This incarnation is over: it cannot be made, has exited, or was observed alive and is gone. */
export function ended(state: WorkerState, observation: Observation): boolean {
  if (observation.action_error?.kind === 'permanent') return true;
  if (observation.action_error && !alive(observation) && overdue(state, observation)) return true;
  if (buildFailed(state, observation)) return true;
  if (!stale(state, observation) && body(observation)?.state === 'exited') return true;
  if (observation.actual.kind === 'absent' && observation.heartbeat?.incarnation === state.incarnation)
    return true;
  return state.expected && (!alive(observation) || stale(state, observation));
}

/**
 * How this incarnation ended. If it was killed because it was never ready, that is the reason, whatever its exit code.
 */
export function outcome(state: WorkerState, observation: Observation): WorkerOutcome {
  const was = stale(state, observation) ? undefined : body(observation);
  const exit_code = was?.exit_code;
  const bad = (reason: string, message: string): WorkerOutcome => ({
    reason,
    message,
    exit_code,
    well: false,
  });
  if (state.ending) return bad(state.ending.reason, state.ending.message);
  // An action that failed temporarily because the body had changed does not explain how the body ended.
  const explains = observation.action_error?.kind === 'permanent' || was?.state !== 'exited';
  if (observation.action_error && explains)
    return bad(observation.action_error.reason, observation.action_error.message);
  if (observation.image?.kind === 'failed' && buildFailed(state, observation))
    return bad(observation.image.reason, observation.image.message);
  if (was?.state !== 'exited') return bad('Lost', 'The body was removed externally.');
  if (was.error) return bad('StartFailed', was.error);
  if (was.lost) return bad(was.lost.reason, `${was.lost.message} Its exit code is unknown.`);
  const when = state.running_since || ready(state, observation) ? '' : ' before it was ready';
  const printed = readableLine(was.tail?.trim().split('\n').at(-1) ?? '');
  const words = printed ? ` Last output: ${printed}` : '';
  if (exit_code === 0)
    return { reason: 'Completed', message: `It exited with code 0${when}.`, exit_code, well: true };
  if (
    observation.heartbeat?.incarnation === was.incarnation &&
    observation.heartbeat.failure === SOURCE_FAILED
  )
    return bad(SOURCE_FAILED, printed || 'The source of its workspace could not be fetched.');
  if (was.oom_killed) return bad('OOMKilled', `It exceeded its memory limit and was killed${when}.`);
  if (exit_code === undefined) return bad('Lost', `It ended${when} without an exit code.${words}`);
  if (exit_code === 137) return bad('Killed', `It was killed externally with SIGKILL${when}.`);
  return bad('Error', `It exited with code ${exit_code}${when}.${words}`);
}

/** Its restart policy would replace it, except for max_restarts. */
export function gaveUp(state: WorkerState, observation: Observation): boolean {
  const { restart_policy, max_restarts } = observation.desired.spec;
  const wanted =
    restart_policy === 'always' || (restart_policy === 'on-failure' && !outcome(state, observation).well);
  if (!wanted || max_restarts === undefined || unwanted(state, observation)) return false;
  return state.restarts > 0 && state.restarts >= max_restarts;
}

/** Its restart policy replaces it. */
export function restarts(state: WorkerState, observation: Observation): boolean {
  const { restart_policy, max_restarts } = observation.desired.spec;
  if (unwanted(state, observation) || restart_policy === 'never') return false;
  if (restart_policy === 'on-failure' && outcome(state, observation).well) return false;
  return max_restarts === undefined || state.restarts < max_restarts;
}

export function restartBackoffMs(
  failures: number,
  { backoff_base_ms, backoff_max_ms }: Observation['limits'],
): number {
  return Math.min(backoff_max_ms, backoff_base_ms * 2 ** Math.min(failures - 1, 30));
}

/** A wait that exceeds the maximum comes from a clock that was set back, and counts as ended. */
export function retryIsDue({ next_retry_at: at = 0 }: WorkerState, { now, limits }: Observation): boolean {
  return now >= at || at - now > limits.backoff_max_ms;
}
