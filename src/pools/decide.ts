/**
 * The decision about a pool, from one observation to plain data. It decides only which workers are added and
 * which have to leave; the worker loop carries that out. Pure.
 *
 * Leaving workers are notified and finish their tasks; they take no new ones, so they are not counted here.
 * Invariants: without the leaving workers there are never more than the wanted number and the surge; a ready
 * worker is replaced for a new template only while enough others are ready; no worker is replaced for a
 * template whose rollout was stopped; no busy worker leaves while an idle one could.
 */

import { newMemo } from '../model/pool/pool-memo.ts';
import { findAdditions, findFreeIndexes } from './additions.ts';
import { decideSize } from './autoscale.ts';
import { type Departure, findReplaceable, findSurplus, splitOutdated } from './departures.ts';
import { countFailures } from './failures.ts';
import { findLastError } from './last-error.ts';
import {
  isActive,
  isFailing,
  isReady,
  type PoolDecision,
  type PoolIntent,
  type PoolObservation,
} from './observation.ts';
import { toPlacementGroups } from './placement.ts';
import { DEFAULT_UPDATE, getRolloutProgress } from './rollout.ts';
import { scaleDownOrder } from './scale-down-order.ts';
import { createPoolStatus } from './status.ts';
import { claimingUntil, planWarm } from './warm/plan.ts';

/** Heartbeats report busy and idle, and cause no event because they are written every 5 s. */
const RECONCILE_MS = 5000;
/** A queue causes no event either: a scaled pool is reconciled often enough to react at once. */
const SCALED_RECONCILE_MS = 1000;

export function decidePool(observation: PoolObservation): PoolDecision {
  const { pool, members, now } = observation;
  const memo = observation.memo ?? newMemo();
  const size = decideSize(observation, memo);
  const failures = countFailures(observation, memo);
  const lastError = findLastError(observation, memo);
  const ended = members.filter((member) => member.desired !== 'deleted' && !isActive(member));
  const own = members.filter((member) => isActive(member) && !member.warm);
  if (pool.desired === 'deleted') return deleting(observation, size.desired);

  const groups = toPlacementGroups(pool.spec.execution_mode, size.desired, observation.auto);
  const { updated, outdated } = splitOutdated(own, groups, observation.revision);
  const { rollout, due } = getRolloutProgress(
    observation,
    memo,
    size.desired,
    { updated, outdated },
    lastError,
  );
  const stopped = rollout.stopped !== undefined && outdated.length > 0;

  const leaving = [
    ...ended.map((member): Departure => [member, member.desired === 'stopped' ? 'stopped' : 'ended']),
    ...findSurplus(updated, groups).map((member): Departure => [member, 'surplus']),
    ...(stopped ? [] : findReplaceable(observation, size.desired, updated, outdated)),
  ];
  const gone = new Set(leaving.map(([member]) => member));
  const over = own.filter((member) => !gone.has(member));
  const surge = outdated.length > 0 ? (pool.spec.update ?? DEFAULT_UPDATE).max_surge : 0;
  const outOfRoom = over.length - (size.desired + surge);
  if (outOfRoom > 0) {
    const old = new Set(outdated);
    const first = scaleDownOrder(over.filter((member) => old.has(member)));
    for (const member of first.slice(0, outOfRoom)) leaving.push([member, 'surplus']);
  }
  const warm = planWarm(observation);
  leaving.push(...warm.leaving);

  // More workers do not help a pool whose workers all keep failing.
  const hopeless = own.some(isFailing) && !own.some(isReady);
  const waits = failures.next_retry_at !== undefined && failures.next_retry_at > now;
  const isHeld = waits || stopped || (hopeless && outdated.length === 0 && own.length > 0);
  const left = new Set(leaving.map(([member]) => member));
  const room = size.desired + surge - own.filter((member) => !left.has(member)).length;
  const wanted = [
    ...(isHeld
      ? []
      : findAdditions(
          updated.filter((member) => !gone.has(member)),
          groups,
          room,
        )),
    ...(waits ? [] : warm.added),
  ];
  const added = wanted.slice(0, observation.room);
  const short = wanted.length - added.length;
  const places = findFreeIndexes(members, added.length);
  const intents: PoolIntent[] = [
    ...leaving.map(([{ id, busy }, why]): PoolIntent => ({ type: 'retire', worker_id: id, why, busy })),
    ...added.map((addition, at): PoolIntent => ({ type: 'add', ...addition, index: places[at] ?? 0 })),
  ];
  const next = {
    ...memo,
    ...size.memo,
    ...failures,
    rollout,
    last_words: lastError.length > 0 ? lastError : undefined,
  };
  const scaled = pool.spec.min !== undefined;
  const dues = [due, size.due, claimingUntil(observation), waits ? failures.next_retry_at : undefined].filter(
    (at) => at !== undefined,
  );
  const wait = Math.min(
    scaled ? SCALED_RECONCILE_MS : RECONCILE_MS,
    ...dues.map((at) => Math.max(0, at - now) + 5),
  );
  return {
    status: createPoolStatus(observation, {
      ...size,
      updated,
      outdated,
      rollout,
      failures,
      lastError,
      hopeless,
      short,
    }),
    memo: next,
    intents,
    requeue_after_ms: wait,
  };
}

function deleting(observation: PoolObservation, desired: number): PoolDecision {
  const left = observation.members.filter((member) => member.desired !== 'deleted');
  const intents: PoolIntent[] = observation.members.length === 0 ? [{ type: 'purge' }] : [];
  for (const { id, busy } of scaleDownOrder(left))
    intents.push({ type: 'retire', worker_id: id, why: 'deleted', busy });
  const none = {
    updated: [],
    outdated: [],
    rollout: undefined,
    failures: newMemo(),
    lastError: [],
    hopeless: false,
    short: 0,
  };
  return {
    status: createPoolStatus(observation, { desired, why: '', ...none }),
    memo: newMemo(),
    intents,
    requeue_after_ms: RECONCILE_MS,
  };
}
