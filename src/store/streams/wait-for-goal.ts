/** Waits for a state of a worker. It is loaded by the watchdog's thread, too: without zod, and with what else starts fast. */
import { setTimeout as delay } from 'node:timers/promises';
import { readableMessage } from '../../model/messages/log-line.ts';
import { errorMessage } from '../../model/values/fault.ts';
import { isRedisSilent } from '../../model/values/redis-outage.ts';
import {
  type AwaitedStatus,
  evaluateGoal,
  type Goal,
  isStatusCurrent,
  type WaitObservation,
} from '../../model/worker/goals.ts';
import type { Link } from '../connect.ts';
import type { Keys } from '../keys.ts';
import { execAll } from '../reply.ts';
import type { StreamHub } from './stream-hub.ts';

/** What waiting needs: Redis, and one reader of streams for all who wait. */
export interface WaitDeps {
  redis: Link;
  keys: Keys;
  hub: StreamHub;
}

/** Events arrive immediately; changes without an event (a deleted record) are polled with this interval. */
const POLL_MS = 2000;
const SOON_MS = 50;

/**
 * Waits until a worker reaches the goal, woken by its events. `missed`: it can no longer reach it. `late`: the signal has
 * fired. An outage of Redis only delays it.
 */
export async function waitForGoal(
  deps: WaitDeps,
  id: string,
  goal: Goal,
  signal: AbortSignal,
): Promise<{ outcome: 'reached' | 'missed' | 'late'; observation: WaitObservation }> {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  let wake = Promise.withResolvers<void>();
  const { keys, hub } = deps;
  const events = keys.events(id);
  let observation: WaitObservation = { deleted: false, current: false, status: undefined };
  // Events after this moment wake it, so none is missed between an observation and the next wait.
  const from = await hub.before(events, 0);
  const follow = async () => {
    for await (const _ of hub.read(events, { from, follow: true, signal: either })) wake.resolve();
  };
  // Without events it polls, so the end of their connection must not end the manager.
  follow().catch(() => {});
  const over = () => wake.resolve();
  signal.addEventListener('abort', over, { once: true });
  try {
    while (!signal.aborted) {
      wake = Promise.withResolvers<void>();
      try {
        observation = await observeGoal(deps, id);
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

const isOutage = (error: unknown) => isRedisSilent(error) || /ECONN/.test(errorMessage(error));

/** As `readGoalObservation`, without the parts that only a schema can read. */
async function observeGoal({ redis, keys }: WaitDeps, id: string): Promise<WaitObservation> {
  const fields = ['spec', 'generation', 'min_incarnation'] as const;
  const reads = redis
    .pipeline()
    .hmget(keys.desired(id), ...fields)
    .hgetall(keys.status(id));
  const [desired, found] = (await execAll(reads)) as [(string | null)[], Record<string, string>];
  const [spec, generation, min_incarnation] = desired;
  const status = toAwaitedStatus(found);
  // A tombstone has no spec.
  if (!spec) return { deleted: true, current: true, status };
  const wanted = { generation: Number(generation ?? 1), min_incarnation: Number(min_incarnation ?? 0) };
  return { deleted: false, current: isStatusCurrent(wanted, status), status };
}

function toAwaitedStatus(found: Record<string, string>): AwaitedStatus | undefined {
  const { status, phase = '', reason = '', message = '', exit_code } = found;
  if (!status) return undefined;
  return {
    status: status as AwaitedStatus['status'],
    phase,
    reason,
    // An earlier version wrote plain log lines.
    message: message && readableMessage(message),
    exit_code: exit_code === undefined ? undefined : Number(exit_code),
    incarnation: Number(found.incarnation ?? 0),
    observed_generation: Number(found.observed_generation ?? 0),
  };
}
