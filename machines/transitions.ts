/** The state of the worker's machine after a step: the changes that its rules make. Pure. */
import { farewellMs, type Observation, parseInstant } from '../src/model/index.ts';
import {
  body,
  mustRestart,
  queuedMs,
  type WorkerOutcome,
  type WorkerState,
  whyUnwanted,
} from './conditions.ts';
import { gaveUp, outcome, restartBackoffMs } from './endings.ts';
import { whyHung } from './stuck.ts';

export function adopted(state: WorkerState, observation: Observation): Partial<WorkerState> {
  const incarnation = body(observation)?.incarnation ?? state.incarnation;
  return { incarnation, expected: true, alive_since: state.alive_since ?? observation.now };
}

export function markedReady(state: WorkerState, observation: Observation): Partial<WorkerState> {
  // Never a time that the wrapper reports: only times of our own clock may be subtracted from it.
  const same =
    observation.status?.incarnation === body(observation)?.incarnation ? observation.status : undefined;
  const running_since = state.running_since ?? parseInstant(same?.running_at) ?? observation.now;
  return { ...adopted(state, observation), running_since };
}

export function nextIncarnation(state: WorkerState, observation: Observation): Partial<WorkerState> {
  return {
    incarnation: state.incarnation + 1,
    restarts: state.restarts + 1,
    expected: false,
    starting_since: observation.now,
    queued_since: undefined,
    alive_since: undefined,
    running_since: undefined,
    next_retry_at: undefined,
    ending: undefined,
    outcome: undefined,
    ended_at: undefined,
  };
}

/** From here on, the start deadline is suspended. */
export function queued(state: WorkerState, observation: Observation): Partial<WorkerState> {
  return { queued_since: state.queued_since ?? observation.now };
}

/** The start continues: the time in the queue does not count towards its deadline. */
export function admitted(state: WorkerState, observation: Observation): Partial<WorkerState> {
  return { starting_since: state.starting_since + queuedMs(state, observation), queued_since: undefined };
}

/** The claimed body never worked for it. That isn't its own failure, so its next body is created for it. */
export function doneWithout(state: WorkerState, observation: Observation): Partial<WorkerState> {
  return { ...nextIncarnation(state, observation), restarts: state.restarts };
}

export function freshStart(state: WorkerState, observation: Observation): Partial<WorkerState> {
  return { ...nextIncarnation(state, observation), restarts: 0, failures: 0 };
}

export function backedOff(state: WorkerState, observation: Observation): Partial<WorkerState> {
  const ran = state.running_since === undefined ? 0 : observation.now - state.running_since;
  const failures = ran >= observation.limits.backoff_reset_ms ? 1 : state.failures + 1;
  const next_retry_at = observation.now + restartBackoffMs(failures, observation.limits);
  return { ...over(observation, outcome(state, observation)), failures, next_retry_at };
}

export function ending(state: WorkerState, observation: Observation): Partial<WorkerState> {
  const message = `It was not ready within start_deadline_seconds (${observation.desired.spec.start_deadline_seconds}).`;
  const otherwise = mustRestart(state, observation)
    ? { reason: 'Restarting', message: 'A restart replaces its body.' }
    : { reason: 'StartDeadlineExceeded', message };
  const why = whyUnwanted(state, observation) ?? otherwise;
  const grace = observation.desired.spec.stop_grace_seconds;
  const kill_at = observation.now + grace * 1000 + farewellMs(grace);
  return { ending: { ...why, kill_at }, generation: observation.desired.generation };
}

/** A hung body would ignore SIGTERM or start to drain, so it gets SIGKILL immediately. */
export function hung(_life: WorkerState, observation: Observation): Partial<WorkerState> {
  const why = whyHung(observation) ?? { reason: 'Hung', message: '' };
  return { ending: { ...why, kill_at: observation.now }, generation: observation.desired.generation };
}

/** The end of a worker that only a command starts again. */
export function settled(state: WorkerState, observation: Observation): Partial<WorkerState> {
  const why = whyUnwanted(state, observation) ?? state.ending;
  const how = outcome(state, observation);
  const end = why
    ? { reason: why.reason, message: why.message, exit_code: how.exit_code, well: how.well }
    : how;
  const explained = gaveUp(state, observation)
    ? { ...end, message: withRestarts(end.message, state.restarts) }
    : end;
  return {
    ...over(observation, explained),
    generation: state.ending ? state.generation : observation.desired.generation,
  };
}

function withRestarts(message: string, restarts: number): string {
  const times = restarts === 1 ? '1 restart' : `${restarts} restarts`;
  return `${message} Gave up after ${times} (max_restarts).`.trim();
}

function over(observation: Observation, how: WorkerOutcome): Partial<WorkerState> {
  const at = body(observation)?.finished_at ?? observation.now;
  return {
    outcome: { ...how, at },
    ended_at: observation.now,
    expected: false,
    ending: undefined,
    next_retry_at: undefined,
  };
}
