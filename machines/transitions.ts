/** What the worker's machine remembers after a step: the changes to its life that its rules make. Pure. */
import { farewellMs, type Observation, parseInstant } from '../src/model/index.ts';
import {
  backoffMs,
  body,
  gaveUp,
  type Life,
  type Outcome,
  outcome,
  queuedMs,
  whyUnwanted,
} from './conditions.ts';
import { whyHung } from './stuck.ts';

export function adopted(life: Life, seen: Observation): Partial<Life> {
  const incarnation = body(seen)?.incarnation ?? life.incarnation;
  return { incarnation, expected: true, alive_since: life.alive_since ?? seen.now };
}

export function markedReady(life: Life, seen: Observation): Partial<Life> {
  // Never what the wrapper says: its clock is another, and what is subtracted from ours has to be ours.
  const same = seen.status?.incarnation === body(seen)?.incarnation ? seen.status : undefined;
  const running_since = life.running_since ?? parseInstant(same?.running_at) ?? seen.now;
  return { ...adopted(life, seen), running_since };
}

export function nextIncarnation(life: Life, seen: Observation): Partial<Life> {
  return {
    incarnation: life.incarnation + 1,
    restarts: life.restarts + 1,
    expected: false,
    starting_since: seen.now,
    queued_since: undefined,
    alive_since: undefined,
    running_since: undefined,
    next_retry_at: undefined,
    ending: undefined,
    outcome: undefined,
    ended_at: undefined,
  };
}

/** From here on the start deadline stands still. */
export function queued(life: Life, seen: Observation): Partial<Life> {
  return { queued_since: life.queued_since ?? seen.now };
}

/** The start continues: the time in the queue does not count towards its deadline. */
export function admitted(life: Life, seen: Observation): Partial<Life> {
  return { starting_since: life.starting_since + queuedMs(life, seen), queued_since: undefined };
}

/** The claimed body never worked for it. That isn't its own failure, so its next body is created for it. */
export function doneWithout(life: Life, seen: Observation): Partial<Life> {
  return { ...nextIncarnation(life, seen), restarts: life.restarts };
}

export function freshStart(life: Life, seen: Observation): Partial<Life> {
  return { ...nextIncarnation(life, seen), restarts: 0, failures: 0 };
}

export function backedOff(life: Life, seen: Observation): Partial<Life> {
  const ran = life.running_since === undefined ? 0 : seen.now - life.running_since;
  const failures = ran >= seen.limits.backoff_reset_ms ? 1 : life.failures + 1;
  const next_retry_at = seen.now + backoffMs(failures, seen.limits);
  return { ...over(seen, outcome(life, seen)), failures, next_retry_at };
}

export function ending(life: Life, seen: Observation): Partial<Life> {
  const message = `It was not ready within start_deadline_seconds (${seen.desired.spec.start_deadline_seconds}).`;
  const why = whyUnwanted(life, seen) ?? { reason: 'StartDeadlineExceeded', message };
  const grace = seen.desired.spec.stop_grace_seconds;
  const kill_at = seen.now + grace * 1000 + farewellMs(grace);
  return { ending: { ...why, kill_at }, generation: seen.desired.generation };
}

/** A hung body would ignore SIGTERM or start to drain, so it gets SIGKILL at once. */
export function hung(_life: Life, seen: Observation): Partial<Life> {
  const why = whyHung(seen) ?? { reason: 'Hung', message: '' };
  return { ending: { ...why, kill_at: seen.now }, generation: seen.desired.generation };
}

/** The end of a worker that nothing but a command starts again. */
export function settled(life: Life, seen: Observation): Partial<Life> {
  const why = whyUnwanted(life, seen) ?? life.ending;
  const how = outcome(life, seen);
  const end = why
    ? { reason: why.reason, message: why.message, exit_code: how.exit_code, well: how.well }
    : how;
  const told = gaveUp(life, seen) ? { ...end, message: withRestarts(end.message, life.restarts) } : end;
  return { ...over(seen, told), generation: life.ending ? life.generation : seen.desired.generation };
}

function withRestarts(message: string, restarts: number): string {
  const times = restarts === 1 ? '1 restart' : `${restarts} restarts`;
  return `${message} Gave up after ${times} (max_restarts).`.trim();
}

function over(seen: Observation, how: Outcome): Partial<Life> {
  const at = body(seen)?.finished_at ?? seen.now;
  return {
    outcome: { ...how, at },
    ended_at: seen.now,
    expected: false,
    ending: undefined,
    next_retry_at: undefined,
  };
}
