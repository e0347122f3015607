import {
  evaluateGoal,
  type Goal,
  missingWorker,
  type StatusRecord,
  type WaitObservation,
} from '../model/index.ts';
import { readGoalObservation } from '../store/index.ts';
import { TimedOut } from './exit.ts';
import type { Session } from './session.ts';

export { evaluateGoal, GOALS, type Goal } from '../model/index.ts';

/** Events arrive immediately; changes without an event (a deleted record) are polled with this interval. */
const POLL_MS = 1000;
const SOON_MS = 50;

/**
 * Waits until the worker reaches the goal, woken by its events. Returns `false` if it can no longer reach it; throws
 * `TimedOut` after `seconds`, and a Fault if the worker never existed. The signal ends the wait early.
 */
export async function waitFor(
  session: Session,
  id: string,
  goal: Goal,
  options: { seconds?: number; signal?: AbortSignal; onStatus?: (status: StatusRecord | undefined) => void },
): Promise<{ reached: boolean; observation: WaitObservation<StatusRecord> }> {
  const { seconds, signal, onStatus } = options;
  const deadline = seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1000;
  const events = session.store.keys.events(id);
  const reader = session.reader();
  const cut = () => reader.disconnect();
  signal?.addEventListener('abort', cut, { once: true });
  try {
    for (;;) {
      const from = await session.lastId(events);
      const observation = await observeGoal(session, id);
      onStatus?.(observation.status);
      const verdict = evaluateGoal(goal, observation);
      if (verdict !== 'not yet') return { reached: verdict === 'reached', observation };
      const left = deadline - performance.now();
      if (left <= 0) throw new TimedOut(formatTimeout(id, goal, observation, seconds ?? 0));
      if (signal?.aborted) return { reached: false, observation };
      const block = observation.status?.phase === 'deleted' ? SOON_MS : POLL_MS;
      await nextEvent(reader, events, from, Math.max(1, Math.min(block, Math.ceil(left))), signal);
    }
  } finally {
    signal?.removeEventListener('abort', cut);
    reader.disconnect();
  }
}

/** Reads the state of the worker; throws a Fault `not_found` if there is no trace of it. */
export async function observeGoal({ store }: Session, id: string): Promise<WaitObservation<StatusRecord>> {
  const observation = await readGoalObservation(store, id);
  if (!observation) throw missingWorker(id);
  return observation;
}

/** Resolves with the next event, or after `ms`. */
async function nextEvent(
  reader: ReturnType<Session['reader']>,
  key: string,
  from: string,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  // If Redis becomes unavailable, this connection would wait forever.
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms + POLL_MS);
  });
  const read = reader.xread('COUNT', 1, 'BLOCK', ms, 'STREAMS', key, from).then(() => {});
  try {
    await Promise.race([read, over]);
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    clearTimeout(timer);
    read.catch(() => {});
  }
}

function formatTimeout(id: string, goal: Goal, { status }: WaitObservation, seconds: number): string {
  const now = status ? `${status.status} (${status.phase})` : 'STARTING (accepted)';
  const why = status?.reason ? `, ${status.reason}: ${status.message}` : '';
  return `The worker ${id} is not ${goal} after ${seconds} s; it is ${now}${why}. \`wm explain ${id.slice(0, 12)}\` shows why.`;
}
