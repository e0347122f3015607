/**
 * The questions that the worker's machine asks of one look at the world. Pure functions of (life, seen): no clock, no randomness, no environment. Imports only the model.
 */
import {
  ASSIGNED,
  type Body,
  type Observation,
  parseInstant,
  readableLine,
  wasReady,
} from '../src/model/index.ts';

/** How a body, or the try to make one, came to its end. */
export interface Outcome {
  reason: string;
  message: string;
  exit_code?: number | undefined;
  /** Ended as a program that has done its work. */
  well: boolean;
}

/** What looking cannot bring back. Instants are milliseconds since 1970. */
export interface Life {
  /** The body that was asked for last. */
  incarnation: number;
  /** It was seen alive, so that its absence is a loss. */
  expected: boolean;
  /** Since the last start by command. */
  restarts: number;
  /** In a row; they set the next wait. */
  failures: number;
  /** The generation under which it ended; a later one that wants it running starts it again. */
  generation: number;
  starting_since: number;
  /** Since when it waits for its turn to start; absent while it does not wait. */
  queued_since?: number | undefined;
  /** When this body was first seen alive. */
  alive_since?: number | undefined;
  running_since?: number | undefined;
  next_retry_at?: number | undefined;
  /** Why the living body is being ended, and when SIGTERM has had its time. */
  ending?: { reason: string; message: string; kill_at: number } | undefined;
  /** `at` is when it ended, by the engine's clock. */
  outcome?: (Outcome & { at: number }) | undefined;
  /** When its end was seen: what is kept after it is kept from then on. */
  ended_at?: number | undefined;
}

/** A worker of which only the status and the heartbeat are known. */
export function newLife(seen: Observation): Life {
  const { status, heartbeat } = seen;
  const known = Math.max(status?.incarnation ?? 0, heartbeat?.incarnation ?? 0);
  // A body that was alive when it was last seen has to be missed, or its worker would start again by amnesia.
  const there = body(seen)?.incarnation;
  const expected =
    (status?.status === 'RUNNING' && status.phase !== ASSIGNED) || LIVED.has(status?.phase ?? '');
  // A reported number is never taken back: the body before it has been given up.
  return {
    incarnation: there === undefined ? known + (expected ? 0 : 1) : Math.max(there, status?.incarnation ?? 0),
    expected,
    restarts: seen.status?.restarts ?? 0,
    failures: 0,
    generation: 0,
    starting_since: seen.now,
  };
}

/** Phases of STARTING in which a body has been seen alive. */
const LIVED: ReadonlySet<string> = new Set(['booting', 'stopping']);

/** What was read back is a life, as far as it is calculated with. */
export function isLife(given: unknown): given is Life {
  const life = given as Life | null | undefined;
  const numbers = [life?.incarnation, life?.restarts, life?.failures, life?.generation, life?.starting_since];
  return numbers.every(Number.isFinite);
}

export function body(seen: Observation): Body | undefined {
  return seen.actual.kind === 'present' ? seen.actual.body : undefined;
}

export const alive = (seen: Observation) => body(seen)?.state === 'running';

/** The body is of an incarnation that has been given up. */
export const stale = (life: Life, seen: Observation) =>
  (body(seen)?.incarnation ?? life.incarnation) < life.incarnation;

/** The wrapper of this very body has said that it takes prompts. An ending one may never have come to that. */
export function ready(life: Life, seen: Observation): boolean {
  const beat = seen.heartbeat;
  return alive(seen) && !stale(life, seen) && beat?.incarnation === body(seen)?.incarnation && wasReady(beat);
}

/** Its wrapper accepted prompts at its last heartbeat. This still holds if the heartbeat of a ready worker is lost. */
export const served = (life: Life, seen: Observation) =>
  seen.heartbeat ? ready(life, seen) : alive(seen) && !stale(life, seen);

/** No heartbeat for too long. Silence is reported; it is never a reason to end the body. */
export function silent(_life: Life, seen: Observation): boolean {
  const heard = Math.max(parseInstant(seen.heartbeat?.at) ?? 0, seen.watching_since);
  return seen.now - heard >= seen.limits.heartbeat_silent_ms;
}

/** The engine doesn't answer: neither the body nor its image is known to exist. */
export function blind(seen: Observation): boolean {
  return seen.actual.kind === 'unknown' || seen.image?.kind === 'unknown';
}

/** Its image is missing and no build runs; a failed build of an earlier attempt doesn't count for this one. */
export function imageMissing(seen: Observation): boolean {
  return seen.image?.kind === 'absent' || seen.image?.kind === 'failed';
}

/** The build that this try waited for has failed. One that fails in the future comes from a clock that was set back. */
export function buildFailed(life: Life, { image, now }: Observation): boolean {
  return image?.kind === 'failed' && !life.expected && image.at >= life.starting_since && image.at <= now;
}

/** Its wrapper waits for secrets, which must not be stored in Redis. */
export function needsSecrets(life: Life, seen: Observation): boolean {
  const beat = seen.heartbeat;
  return (
    alive(seen) &&
    !stale(life, seen) &&
    beat?.incarnation === body(seen)?.incarnation &&
    beat?.phase === 'booting' &&
    beat.needs_secrets === true
  );
}

/** Not ready within the deadline, which no manager's and no engine's absence counts towards. */
export function overdue(life: Life, seen: Observation): boolean {
  return seen.now >= startDeadline(life, seen);
}

export function startDeadline(life: Life, seen: Observation): number {
  const since =
    (alive(seen) ? (life.alive_since ?? body(seen)?.started_at) : undefined) ??
    life.starting_since + queuedMs(life, seen);
  return Math.max(since, seen.watching_since) + seen.desired.spec.start_deadline_seconds * 1000;
}

/** How long it has waited for its turn to start, in milliseconds. */
export const queuedMs = ({ queued_since: since }: Life, { now }: Observation): number =>
  since === undefined ? 0 : Math.max(0, now - since);

/** When the whole life of the worker is over, whatever it does. */
export function expiry(seen: Observation): number {
  const { created_at, spec } = seen.desired;
  return spec.ttl_seconds === undefined
    ? Number.POSITIVE_INFINITY
    : (parseInstant(created_at) ?? seen.now) + spec.ttl_seconds * 1000;
}

/** Quiet time by the wrapper's own clock, both ends of it, so that clocks need not agree. */
function idle(life: Life, seen: Observation): boolean {
  const limit = seen.desired.spec.idle_timeout_seconds;
  const beat = seen.heartbeat;
  if (limit === undefined || !beat || beat.busy || !ready(life, seen)) return false;
  return (parseInstant(beat.at) ?? 0) - (parseInstant(beat.active_at) ?? 0) >= limit * 1000;
}

/** Why this worker should not be alive; `undefined` where it should. */
export function whyUnwanted(life: Life, seen: Observation): { reason: string; message: string } | undefined {
  const { desired, spec } = seen.desired;
  if (desired === 'deleted') return { reason: 'Deleted', message: 'It was deleted.' };
  if (desired === 'stopped') return { reason: 'Stopped', message: 'It was stopped.' };
  if (seen.now >= expiry(seen)) {
    return { reason: 'Expired', message: `It reached its ttl_seconds of ${spec.ttl_seconds}.` };
  }
  if (idle(life, seen)) {
    const message = `It had no input and no output for idle_timeout_seconds (${spec.idle_timeout_seconds}).`;
    return { reason: 'IdleTimeout', message };
  }
  return undefined;
}

export const unwanted = (life: Life, seen: Observation) => whyUnwanted(life, seen) !== undefined;

/** A command that came after the end wants it running. */
export function startedAgain(life: Life, seen: Observation): boolean {
  return !unwanted(life, seen) && seen.desired.generation > life.generation;
}

export function keptLongEnough(life: Life, seen: Observation): boolean {
  return seen.now >= forgetAt(life, seen);
}

export function forgetAt(life: Life, seen: Observation): number {
  return (life.ended_at ?? life.outcome?.at ?? seen.now) + seen.desired.spec.keep_finished_seconds * 1000;
}

export const graceOver = (life: Life, seen: Observation) => seen.now >= (life.ending?.kill_at ?? 0);

/** This incarnation is over: it cannot be made, has exited, or was observed alive and is gone. */
export function ended(life: Life, seen: Observation): boolean {
  if (seen.refusal?.kind === 'permanent') return true;
  if (seen.refusal && !alive(seen) && overdue(life, seen)) return true;
  if (buildFailed(life, seen)) return true;
  if (!stale(life, seen) && body(seen)?.state === 'exited') return true;
  if (seen.actual.kind === 'absent' && seen.heartbeat?.incarnation === life.incarnation) return true;
  return life.expected && (!alive(seen) || stale(life, seen));
}

/** How this incarnation ended. Killed by us for never being ready counts as that, whatever its exit code. */
export function outcome(life: Life, seen: Observation): Outcome {
  const was = stale(life, seen) ? undefined : body(seen);
  const exit_code = was?.exit_code;
  const bad = (reason: string, message: string): Outcome => ({ reason, message, exit_code, well: false });
  if (life.ending) return bad(life.ending.reason, life.ending.message);
  // An act that failed for now, for the body had gone on meanwhile, does not explain how that came to its end.
  const explains = seen.refusal?.kind === 'permanent' || was?.state !== 'exited';
  if (seen.refusal && explains) return bad(seen.refusal.reason, seen.refusal.message);
  if (seen.image?.kind === 'failed' && buildFailed(life, seen))
    return bad(seen.image.reason, seen.image.message);
  if (was?.state !== 'exited') return bad('Lost', 'The body was removed externally.');
  if (was.error) return bad('StartFailed', was.error);
  if (was.lost) return bad(was.lost.reason, `${was.lost.message} Its exit code is unknown.`);
  const when = life.running_since || ready(life, seen) ? '' : ' before it was ready';
  const printed = readableLine(was.tail?.trim().split('\n').at(-1) ?? '');
  const words = printed ? ` Last output: ${printed}` : '';
  if (exit_code === 0)
    return { reason: 'Completed', message: `It exited with code 0${when}.`, exit_code, well: true };
  if (was.oom_killed) return bad('OOMKilled', `It exceeded its memory limit and was killed${when}.`);
  if (exit_code === undefined) return bad('Lost', `It ended${when} without an exit code.${words}`);
  if (exit_code === 137) return bad('Killed', `It was killed externally with SIGKILL${when}.`);
  return bad('Error', `It exited with code ${exit_code}${when}.${words}`);
}

/** Its restart policy would give it another body, but for max_restarts. */
export function gaveUp(life: Life, seen: Observation): boolean {
  const { restart_policy, max_restarts } = seen.desired.spec;
  const wanted =
    restart_policy === 'always' || (restart_policy === 'on-failure' && !outcome(life, seen).well);
  if (!wanted || max_restarts === undefined || unwanted(life, seen)) return false;
  return life.restarts > 0 && life.restarts >= max_restarts;
}

/** Its restart policy gives it another body. */
export function restarts(life: Life, seen: Observation): boolean {
  const { restart_policy, max_restarts } = seen.desired.spec;
  if (unwanted(life, seen) || restart_policy === 'never') return false;
  if (restart_policy === 'on-failure' && outcome(life, seen).well) return false;
  return max_restarts === undefined || life.restarts < max_restarts;
}

export function backoffMs(
  failures: number,
  { backoff_base_ms, backoff_max_ms }: Observation['limits'],
): number {
  return Math.min(backoff_max_ms, backoff_base_ms * 2 ** Math.min(failures - 1, 30));
}

/** A wait that is longer than any can be comes from a clock that was set back, and is over. */
export function retryIsDue({ next_retry_at: at = 0 }: Life, { now, limits }: Observation): boolean {
  return now >= at || at - now > limits.backoff_max_ms;
}
