/**
 * When time alone may change the decision about a worker. Pure: deadlines are data, and no code sleeps on
 * them. A lost heartbeat is not one of them: the resync reads all heartbeats at once and enqueues workers
 * without one.
 */
import { blind, expiry, forgetAt, startDeadline, type WorkerState } from '../../machines/conditions.ts';
import { retryIsDue } from '../../machines/endings.ts';
import { type Observation, parseInstant } from '../model/index.ts';

/** A timer may fire slightly early, and a reconcile that is a millisecond early would be repeated. */
const MARGIN_MS = 5;
/** A body that should have ended is observed again after this at the latest. */
const IMPATIENT_MS = 5000;
/** Admission enqueues a worker when it gets a slot; this is for a lost request. */
const QUEUED_MS = 300_000;
/** What cannot be observed is checked again after this; a runtime that is back enqueues it anyway. */
const UNCLEAR_MS = 30_000;

/** Milliseconds until the next reconcile that no event will trigger; `undefined` if there is none. */
export function nextReconcileMs(
  value: unknown,
  state: WorkerState,
  observation: Observation,
): number | undefined {
  const due = deadlines(value, state, observation).filter(Number.isFinite);
  if (due.length === 0) return undefined;
  return Math.max(0, Math.min(...due) - observation.now) + MARGIN_MS;
}

function deadlines(value: unknown, state: WorkerState, observation: Observation): number[] {
  const { actual, now } = observation;
  if (blind(observation) || actual.kind === 'ambiguous') return [now + UNCLEAR_MS];
  const [top, child] = typeof value === 'string' ? [value] : (Object.entries(value as object)[0] ?? []);
  if (top === 'STOPPED' || top === 'FAILED') return [forgetAt(state, observation), ...leftovers(observation)];
  if (child === 'stopping')
    return [graceLeft(state, now) ? (state.ending?.kill_at ?? now) : now + IMPATIENT_MS];
  if (child === 'killing') return [now + IMPATIENT_MS];
  if (child === 'backoff')
    return [retryAt(state, observation), expiry(observation), ...leftovers(observation)];
  if (child === 'booting') return [startDeadline(state, observation), expiry(observation)];
  if (child === 'building') return [expiry(observation), now + UNCLEAR_MS];
  if (child === 'queued') return [expiry(observation), now + QUEUED_MS];
  if (child === 'creating') return [expiry(observation)];
  if (top === 'RUNNING') return [expiry(observation), idleAt(observation)];
  return leftovers(observation);
}

/** A body whose removal was requested is observed again even without an event. */
const leftovers = (observation: Observation) =>
  observation.actual.kind === 'present' ? [observation.now + IMPATIENT_MS] : [];

/** When the idle time would be over, from the heartbeat that reports it. */
function idleAt({ desired, heartbeat, now }: Observation): number {
  const limit = desired.spec.idle_timeout_seconds;
  const active = parseInstant(heartbeat?.active_at);
  if (limit === undefined || active === undefined) return Number.POSITIVE_INFINITY;
  // The next heartbeat shows it; until then, an earlier check shows nothing new.
  return Math.max(active + limit * 1000, now + 1000);
}

const retryAt = (state: WorkerState, observation: Observation) =>
  retryIsDue(state, observation) ? observation.now : (state.next_retry_at ?? observation.now);

const graceLeft = (state: WorkerState, now: number) => now < (state.ending?.kill_at ?? 0);
