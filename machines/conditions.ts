/**
 * The conditions of the worker's machine. Pure functions of the worker's state and an observation: no clock, no
 * randomness, no environment. Imports only the model.
 */
import { ASSIGNED, type Body, type Observation, parseInstant, wasReady } from '../src/model/index.ts';

/** How a body, or the attempt to create one, ended. */
export interface WorkerOutcome {
  reason: string;
  message: string;
  exit_code?: number | undefined;
  /** It exited successfully. */
  well: boolean;
}

/** What an observation cannot restore. Times are milliseconds since 1970. */
export interface WorkerState {
  /** The incarnation that was requested last. */
  incarnation: number;
  /** It was observed alive, so that its absence is a loss. */
  expected: boolean;
  /** Since the last start command. */
  restarts: number;
  /** Consecutive failures; they determine the next delay. */
  failures: number;
  /** The generation with which it ended; a later one that wants it running restarts it. */
  generation: number;
  starting_since: number;
  /** Since when it has waited to start; absent if it does not wait. */
  queued_since?: number | undefined;
  /** When this body was first observed alive. */
  alive_since?: number | undefined;
  running_since?: number | undefined;
  next_retry_at?: number | undefined;
  /** Why the running body is being ended, and when the grace period after SIGTERM ends. */
  ending?: { reason: string; message: string; kill_at: number } | undefined;
  /** `at` is when it ended, by the engine's clock. */
  outcome?: (WorkerOutcome & { at: number }) | undefined;
  /** When its end was observed; the time that it is kept starts here. */
  ended_at?: number | undefined;
}

/** The state of a worker with only a status and a heartbeat. */
export function newWorkerState(observation: Observation): WorkerState {
  const { status, heartbeat } = observation;
  const known = Math.max(status?.incarnation ?? 0, heartbeat?.incarnation ?? 0);
  // A body that was alive at the last observation must count as lost if it is absent; otherwise its worker
  // would start again only because the memo was lost.
  const current = body(observation)?.incarnation;
  const expected =
    (status?.status === 'RUNNING' && status.phase !== ASSIGNED) || LIVED.has(status?.phase ?? '');
  // A reported number is never taken back: the body before it has been given up.
  return {
    incarnation:
      current === undefined ? known + (expected ? 0 : 1) : Math.max(current, status?.incarnation ?? 0),
    expected,
    restarts: observation.status?.restarts ?? 0,
    failures: 0,
    generation: 0,
    starting_since: observation.now,
  };
}

/** Phases of STARTING in which a body has been observed alive. */
const LIVED: ReadonlySet<string> = new Set(['booting', 'stopping']);

/** Whether the stored memo has all values that calculations use. */
export function isWorkerState(given: unknown): given is WorkerState {
  const life = given as WorkerState | null | undefined;
  const numbers = [life?.incarnation, life?.restarts, life?.failures, life?.generation, life?.starting_since];
  return numbers.every(Number.isFinite);
}

export function body(observation: Observation): Body | undefined {
  return observation.actual.kind === 'present' ? observation.actual.body : undefined;
}

export const alive = (observation: Observation) => body(observation)?.state === 'running';

/** The body belongs to an incarnation that was given up. */
export const stale = (state: WorkerState, observation: Observation) =>
  (body(observation)?.incarnation ?? state.incarnation) < state.incarnation;

/** The wrapper of this body has reported that it accepts prompts. An ending wrapper may never have done so. */
export function ready(state: WorkerState, observation: Observation): boolean {
  const beat = observation.heartbeat;
  return (
    alive(observation) &&
    !stale(state, observation) &&
    beat?.incarnation === body(observation)?.incarnation &&
    wasReady(beat)
  );
}

/** Its wrapper accepted prompts at its last heartbeat. This still holds if the heartbeat of a ready worker is lost. */
export const served = (state: WorkerState, observation: Observation) =>
  observation.heartbeat ? ready(state, observation) : alive(observation) && !stale(state, observation);

/** No heartbeat for too long. Silence is reported; it is never a reason to end the body. */
export function silent(_life: WorkerState, observation: Observation): boolean {
  const lastHeartbeat = Math.max(parseInstant(observation.heartbeat?.at) ?? 0, observation.watching_since);
  return observation.now - lastHeartbeat >= observation.limits.heartbeat_silent_ms;
}

/** The engine doesn't answer: neither the body nor its image is known to exist. */
export function blind(observation: Observation): boolean {
  return observation.actual.kind === 'unknown' || observation.image?.kind === 'unknown';
}

/** Its image is missing and no build runs; a failed build of an earlier attempt doesn't count for this one. */
export function imageMissing(observation: Observation): boolean {
  return observation.image?.kind === 'absent' || observation.image?.kind === 'failed';
}

/** The build that this attempt waited for has failed. A failure in the future comes from a clock that was set back. */
export function buildFailed(state: WorkerState, { image, now }: Observation): boolean {
  return image?.kind === 'failed' && !state.expected && image.at >= state.starting_since && image.at <= now;
}

/** Its wrapper waits for secrets, which must not be stored in Redis. */
export function needsSecrets(state: WorkerState, observation: Observation): boolean {
  const beat = observation.heartbeat;
  return (
    alive(observation) &&
    !stale(state, observation) &&
    beat?.incarnation === body(observation)?.incarnation &&
    beat?.phase === 'booting' &&
    beat.needs_secrets === true
  );
}

/** Not ready within the deadline, which does not include time without a manager or an engine. */
export function overdue(state: WorkerState, observation: Observation): boolean {
  return observation.now >= startDeadline(state, observation);
}

export function startDeadline(state: WorkerState, observation: Observation): number {
  const since =
    (alive(observation) ? (state.alive_since ?? body(observation)?.started_at) : undefined) ??
    state.starting_since + queuedMs(state, observation);
  return Math.max(since, observation.watching_since) + observation.desired.spec.start_deadline_seconds * 1000;
}

/** How long it has waited to start, in milliseconds. */
export const queuedMs = ({ queued_since: since }: WorkerState, { now }: Observation): number =>
  since === undefined ? 0 : Math.max(0, now - since);

/** Whether the maximum lifetime of the worker has been reached. */
export function expiry(observation: Observation): number {
  const { created_at, spec } = observation.desired;
  return spec.ttl_seconds === undefined
    ? Number.POSITIVE_INFINITY
    : (parseInstant(created_at) ?? observation.now) + spec.ttl_seconds * 1000;
}

/** Idle time measured only by the wrapper's own clock, so that clocks need not agree. */
function idle(state: WorkerState, observation: Observation): boolean {
  const limit = observation.desired.spec.idle_timeout_seconds;
  const beat = observation.heartbeat;
  if (limit === undefined || !beat || beat.busy || !ready(state, observation)) return false;
  return (parseInstant(beat.at) ?? 0) - (parseInstant(beat.active_at) ?? 0) >= limit * 1000;
}

/** Why this worker should not be running; `undefined` if it should. */
export function whyUnwanted(
  state: WorkerState,
  observation: Observation,
): { reason: string; message: string } | undefined {
  const { desired, spec } = observation.desired;
  if (desired === 'deleted') return { reason: 'Deleted', message: 'It was deleted.' };
  if (desired === 'stopped') return { reason: 'Stopped', message: 'It was stopped.' };
  if (observation.now >= expiry(observation)) {
    return { reason: 'Expired', message: `It reached its ttl_seconds of ${spec.ttl_seconds}.` };
  }
  if (idle(state, observation)) {
    const message = `It had no input and no output for idle_timeout_seconds (${spec.idle_timeout_seconds}).`;
    return { reason: 'IdleTimeout', message };
  }
  return undefined;
}

export const unwanted = (state: WorkerState, observation: Observation) =>
  whyUnwanted(state, observation) !== undefined;

/** A restart command wants another body than this incarnation's. */
export function mustRestart(state: WorkerState, observation: Observation): boolean {
  const { min_incarnation } = observation.desired;
  return (
    min_incarnation !== undefined && state.incarnation < min_incarnation && !unwanted(state, observation)
  );
}

/** A command after its end wants it running. */
export function startedAgain(state: WorkerState, observation: Observation): boolean {
  return !unwanted(state, observation) && observation.desired.generation > state.generation;
}

export function keptLongEnough(state: WorkerState, observation: Observation): boolean {
  return observation.now >= forgetAt(state, observation);
}

export function forgetAt(state: WorkerState, observation: Observation): number {
  return (
    (state.ended_at ?? state.outcome?.at ?? observation.now) +
    observation.desired.spec.keep_finished_seconds * 1000
  );
}

export const graceOver = (state: WorkerState, observation: Observation) =>
  observation.now >= (state.ending?.kill_at ?? 0);
