import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage, evaluateGoal, type Goal, type WaitObservation } from '../model/index.ts';
import { readGoalObservation } from './goal-observation.ts';
import type { Store } from './store.ts';
import type { StreamHub } from './stream-hub.ts';

/** Events arrive immediately; changes without an event (a deleted record) are polled with this interval. */
const POLL_MS = 2000;
const SOON_MS = 50;
/** Not even a tombstone is left. */
const GONE: WaitObservation = { deleted: true, current: true, status: undefined };

/**
 * Waits until a worker reaches the goal, woken by its events. `missed`: it can no longer reach it. `late`: the signal has
 * fired. An outage of Redis only delays it.
 */
export async function waitForGoal(
  { store, hub }: { store: Pick<Store, 'load' | 'status' | 'keys'>; hub: StreamHub },
  id: string,
  goal: Goal,
  signal: AbortSignal,
): Promise<{ outcome: 'reached' | 'missed' | 'late'; observation: WaitObservation }> {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  let wake = Promise.withResolvers<void>();
  const events = store.keys.events(id);
  let observation: WaitObservation = { deleted: false, current: false, status: undefined };
  // Events after this moment wake it, so none is missed between an observation and the next wait.
  const from = await hub.before(events, 0);
  const follow = async () => {
    for await (const _ of hub.read(events, { from, follow: true, signal: either })) wake.resolve();
  };
  void follow();
  const over = () => wake.resolve();
  signal.addEventListener('abort', over, { once: true });
  try {
    while (!signal.aborted) {
      wake = Promise.withResolvers<void>();
      try {
        observation = (await readGoalObservation(store, id)) ?? GONE;
        const verdict = evaluateGoal(goal, observation);
        if (verdict !== 'not yet') return { outcome: verdict, observation };
      } catch (error) {
        if (!isOutage(error)) throw error;
      }
      const ms = observation.status?.phase === 'deleted' ? SOON_MS : POLL_MS;
      const poll = new AbortController();
      await Promise.race([wake.promise, delay(ms, undefined, { signal: poll.signal }).catch(() => {})]);
      poll.abort();
    }
    return { outcome: 'late', observation };
  } finally {
    signal.removeEventListener('abort', over);
    done.abort();
  }
}

const isOutage = (error: unknown) =>
  /Command timed out|max retries|Connection is closed|ECONN|writeable/.test(errorMessage(error));
